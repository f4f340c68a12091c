"""Follow a group that got another id, in the configuration."""

from pathlib import Path
from typing import Any

from takopi.app.config_edit import edit_document, flatten, set_values
from takopi.errors import ConfigError
from takopi.logging import get_logger
from takopi.settings.former import FORMER
from takopi.settings.keys import TELEGRAM

__all__ = ["follow_chat"]

_log = get_logger(__name__)

CHAT_ID = f"{TELEGRAM}chat_id"
ALLOWED = f"{TELEGRAM}allowed_chat_ids"


def follow_chat(config: Path, chat: int, new: int) -> None:
    """Write the new id of a group wherever the old one stands; a failure is only logged.

    Args:
        config: The file; it is read now, as another group may have moved since the start.
        chat: The id that the group had.
        new: The id that it has.
    """
    try:
        with edit_document(config) as document:
            for name, value in list(flatten(document)):
                moved = _moved(name, value, chat, new)
                if moved != value:
                    set_values(document, {name: moved})
    except ConfigError as error:
        _log.error("config.chat_not_followed", chat=chat, new=new, error=str(error))
    else:
        _log.warning("config.chat_followed", chat=chat, new=new)


def _moved(name: str, value: Any, chat: int, new: int) -> Any:
    """Return what stands under a key afterwards."""
    if name == ALLOWED and isinstance(value, list):
        return [new if one == chat else one for one in value]
    return new if value == chat and _names_a_chat(name) else value


def _names_a_chat(name: str) -> bool:
    of_project = name.startswith("projects.") and name.endswith(".chat_id")
    return of_project or name in (CHAT_ID, FORMER[CHAT_ID])
