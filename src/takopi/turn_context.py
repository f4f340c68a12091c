"""Tell the hooks of a runner which turn they serve.

The hooks keep the signatures that engine authors know, so what a turn asks for beyond prompt and
session travels in one context variable. It is bound around synchronous hook calls and around each
step of an iterator, never across a `yield`, so no value leaks into the caller's context.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from takopi.turn import TurnRequest

__all__ = ["bind_request", "current_request"]

_request: ContextVar[TurnRequest | None] = ContextVar("takopi_turn_request", default=None)


def current_request() -> TurnRequest | None:
    """Return the request of the turn that calls the hook; None outside of hooks."""
    return _request.get()


@contextmanager
def bind_request(request: TurnRequest) -> Iterator[None]:
    """Make `request` the current one within the block."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)
