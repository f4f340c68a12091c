"""Carry the model and the reasoning level that a turn asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass

from takopi.turn_context import current_request

__all__ = [
    "EngineRunOptions",
    "apply_run_options",
    "get_run_options",
    "reset_run_options",
    "set_run_options",
]


@dataclass(frozen=True, slots=True)
class EngineRunOptions:
    """Say what a turn wants other than the engine's configuration says.

    Args:
        model: Model to use; None leaves the configured one.
        reasoning: Reasoning level to use; None leaves the configured one.
    """

    model: str | None = None
    reasoning: str | None = None


_options: ContextVar[EngineRunOptions | None] = ContextVar("takopi_run_options", default=None)


def get_run_options() -> EngineRunOptions | None:
    """Return what the current turn asks for, over what was applied around it."""
    applied = _options.get()
    request = current_request()
    if request is None or (request.model is None and request.reasoning is None):
        return applied
    return EngineRunOptions(
        model=request.model or (applied.model if applied else None),
        reasoning=request.reasoning or (applied.reasoning if applied else None),
    )


def set_run_options(options: EngineRunOptions | None) -> Token[EngineRunOptions | None]:
    """Apply options to this context and return what `reset_run_options` wants."""
    return _options.set(options)


def reset_run_options(token: Token[EngineRunOptions | None]) -> None:
    """Put back the options that were applied before."""
    _options.reset(token)


@contextmanager
def apply_run_options(options: EngineRunOptions | None) -> Iterator[None]:
    """Apply options within the block."""
    token = set_run_options(options)
    try:
        yield
    finally:
        reset_run_options(token)
