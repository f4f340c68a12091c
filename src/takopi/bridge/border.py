"""The border of an update and of a turn: what goes wrong inside stops there.

This is the one place of the bridge that catches everything. What is caught is logged with the
fields that name the update or turn, and told to the person by whoever drew the border.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from takopi.errors import TakopiError, Unauthorized
from takopi.logging import get_logger

__all__ = ["Border", "border"]

_log = get_logger(__name__)


@dataclass(slots=True)
class Border:
    """Tell how the block behind the border ended.

    Args:
        error: What to tell the person; None when all went well.
    """

    error: str | None = None


@contextmanager
def border(what: str, **fields: Any) -> Iterator[Border]:
    """Keep every error of the block inside; cancellation passes.

    So does `Unauthorized`, which ends the bot whoever meets it.

    Args:
        what: What the block does, in a few words, for the log and the person.
        fields: What names the update or turn.
    """
    found = Border()
    try:
        yield found
    except Unauthorized:
        raise
    except TakopiError as error:
        found.error = str(error)
        _log.warning("refused", what=what, error=str(error), **fields)
    except Exception as error:  # noqa: BLE001 - the border of an update and of a turn
        found.error = f"takopi failed while {what} ({type(error).__name__}); its log says where"
        _log.exception("failed", what=what, **fields)
