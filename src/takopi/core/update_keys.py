"""By what an update is known when a service hands it out again, maybe under another number."""

from takopi.core.chat import ButtonPressed, ChatMigrated, ChatUpdate, MessageEdited

__all__ = ["update_keys"]


def update_keys(update: ChatUpdate) -> tuple[str, str]:
    """Return the two keys of an update; one that shares either with an earlier one is a repeat.

    The first is the service's number of the update, the second names what it is about: a message
    by chat and id, an edit by its date as well, a press by its own id, a migration by both chats.
    """
    transport = update.scope.transport
    number = f"{transport}:u:{update.update_id}"
    if isinstance(update, ButtonPressed):
        return number, f"{transport}:p:{update.press_id}"
    if isinstance(update, ChatMigrated):
        return number, f"{transport}:g:{update.scope.chat_id}:{update.new_chat_id}"
    name = f"{update.scope.chat_id}:{update.message_id}"
    if isinstance(update, MessageEdited):
        return number, f"{transport}:e:{name}:{update.edited_at}"
    return number, f"{transport}:m:{name}"
