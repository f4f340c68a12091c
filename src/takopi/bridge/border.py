"""The border of an update and of a turn: what goes wrong inside stops there.

This is the one place of the bridge that catches everything. What is caught is logged with the
fields that name the update or turn, and told to the person by whoever drew the border.
"""

import asyncio
import math
from types import TracebackType
from typing import Any

import anyio

from takopi.core.texts import tr, translated
from takopi.errors import TakopiError, Unauthorized
from takopi.logging import get_logger, redact

__all__ = ["border"]

_log = get_logger(__name__)


class border:  # noqa: N801 - reads as what it draws: with border(...)
    """Keep every error of the block inside.

    Cancellation passes, and so does `Unauthorized`, which ends the bot whoever meets it. The code
    of plug-ins runs inside: that it wants to exit, or says cancelled where nobody cancels it, is
    its own error.

    Args:
        what: What the block does, in a few words, for the log and the person.
        fields: What names the update or turn.
    """

    __slots__ = ("_fields", "_what", "error")

    def __init__(self, what: str, **fields: Any) -> None:
        self._what = what
        self._fields = fields
        self.error: str | None = None
        """What to tell the person; None when all went well."""

    def __enter__(self) -> "border":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Stop what is an error, tell and log it."""
        if error is None or not _stays_inside(error):
            return False
        if isinstance(error, TakopiError):
            self.error = redact(str(error)) or type(error).__name__
            _log.info("refused", what=self._what, error=str(error), **self._fields)
        else:
            name = type(error).__name__
            self.error = tr(
                "takopi failed while {what} ({name}); its log says where",
                what=translated(self._what),
                name=name,
            )
            _log.error("failed", what=self._what, exc_info=error, **self._fields)
        return True


def _stays_inside(error: BaseException) -> bool:
    if isinstance(error, Exception | SystemExit):
        return not isinstance(error, Unauthorized)
    if isinstance(error, BaseExceptionGroup):
        return all(_stays_inside(inner) for inner in error.exceptions)
    return isinstance(error, asyncio.CancelledError) and not _is_being_cancelled()


def _is_being_cancelled() -> bool:
    """Tell whether the task is cancelled by a scope around it, or by itself.

    A plug-in that awaits something of its own which it cancelled raises what cancelling raises,
    and a task group takes that for the wish to end everything, without a word.
    """
    task = asyncio.current_task()
    by_itself = task is not None and task.cancelling() > 0
    return by_itself or anyio.current_effective_deadline() == -math.inf
