"""The border of an update and of a turn: what goes wrong inside stops there.

This is the one place of the bridge that catches everything. What is caught is logged with the
fields that name the update or turn, and told to the person by whoever drew the border.
"""

from types import TracebackType
from typing import Any

from takopi.core.texts import tr, translated
from takopi.errors import TakopiError, Unauthorized
from takopi.logging import get_logger, redact

__all__ = ["border"]

_log = get_logger(__name__)


class border:  # noqa: N801 - reads as what it draws: with border(...)
    """Keep every error of the block inside.

    Cancellation passes, and so does `Unauthorized`, which ends the bot whoever meets it.

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
        if not isinstance(error, Exception) or isinstance(error, Unauthorized):
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
