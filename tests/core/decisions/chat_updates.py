"""Updates as tests of decisions make them, and a reader of resume lines."""

from hypothesis import strategies as st

from takopi.core.chat import ButtonPressed, MessageEdited, MessageReceived, RepliedTo, Scope
from takopi.core.decisions import RouteTable
from takopi.model import ResumeToken


class Codec:
    """Read `<engine> resume <id>` lines."""

    def __init__(self, engine: str) -> None:
        self.engine = engine

    def is_resume_line(self, line: str) -> bool:
        """Tell whether a line begins like a resume line."""
        words = line.strip().strip("`").split()
        return len(words) >= 3 and words[:2] == [self.engine, "resume"]

    def extract_resume(self, text: str | None) -> ResumeToken | None:
        """Return the session of the last line that is one."""
        found = [line for line in (text or "").splitlines() if self.is_resume_line(line)]
        return ResumeToken(self.engine, found[-1].split()[2].strip("`")) if found else None


TABLE = RouteTable(
    default_engine="codex",
    engines=("codex", "claude"),
    commands=("cancel", "help", "status", "start"),
    codecs=(Codec("codex"), Codec("claude")),
)


def message(text: str, *, chat: int = 1, sender: int | None = 1, **more: object) -> MessageReceived:
    """Make a message."""
    fields: dict[str, object] = {"reply": None, "chat_kind": "private", **more}
    return MessageReceived(
        update_id=1,
        scope=Scope("memory", chat),
        message_id=10,
        sender_id=sender,
        text=text,
        **fields,  # type: ignore[arg-type]
    )


def edit(text: str, *, chat: int, sender: int | None) -> MessageEdited:
    """Make an edit."""
    return MessageEdited(
        update_id=1,
        scope=Scope("memory", chat),
        chat_kind="private",
        message_id=10,
        sender_id=sender,
        text=text,
        edited_at=1.0,
    )


def press(*, chat: int, sender: int | None) -> ButtonPressed:
    """Make a press."""
    return ButtonPressed(
        update_id=1,
        scope=Scope("memory", chat),
        chat_kind="private",
        press_id="p",
        message_id=3,
        sender_id=sender,
        data="cancel:t1",
    )


def bot_message(text: str) -> RepliedTo:
    """Make a replied-to message of this bot."""
    return RepliedTo(5, text, from_this_bot=True)


IDS = st.integers(-(2**53), 2**53)
