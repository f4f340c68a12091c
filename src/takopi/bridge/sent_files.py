"""Which files a message means, its own and those of the message that it replies to."""

from collections.abc import Sequence

from msgspec.structs import replace

from takopi.bridge.records import TurnRecord
from takopi.core.chat import IncomingFile, MessageReceived, RepliedTo
from takopi.core.decisions import Prompt
from takopi.core.file_rules import FileRules

__all__ = ["NO_FILES", "files_record", "reply_files", "with_words", "without_voice"]

_HERE_IT_IS = "Here is the file."

NO_FILES = FileRules(enabled=False)
"""What holds where no files come and go."""


def without_voice(received: MessageReceived) -> tuple[IncomingFile, ...]:
    """List a message's own files; a voice note without a caption is words, and no file."""
    if received.text.strip():
        return received.files
    return tuple(file for file in received.files if file.kind != "voice")


def reply_files(reply: RepliedTo, record: TurnRecord | None) -> tuple[IncomingFile, ...]:
    """List the files that a reply takes along from the message which it answers.

    Args:
        reply: That message.
        record: What it belongs to. Whoever replies to a turn goes on with it, and its agent has
            the turn's files already.
    """
    if record is not None:
        return record.files if record.origin == "files" else ()
    return tuple(file for file in reply.files if file.kind != "voice")


def with_words(received: MessageReceived) -> MessageReceived:
    """Give words to a file that answers a turn without any: the agent may have asked for it.

    The parts of an album have none of their own: which part would say it?
    """
    said = received.text.strip() or received.album is not None or not received.files
    return received if said else replace(received, text=_HERE_IT_IS)


def files_record(turn_id: str, messages: Sequence[MessageReceived], prompt: Prompt) -> TurnRecord:
    """Make the record of files that came without a word; it is no turn and never runs.

    Args:
        turn_id: Its id.
        messages: What brought them, of one person in one place.
        prompt: What words in the same place would ask for.
    """
    first = messages[0]
    return TurnRecord(
        turn_id=turn_id,
        scope=first.scope,
        engine=prompt.engine,
        conversation=turn_id,
        chat_kind=first.chat_kind,
        messages=tuple(sorted(message.message_id for message in messages)),
        person=first.sender_id,
        origin="files",
        state="done",
        outcome="done",
        files=tuple(file for message in messages for file in message.files),
    )
