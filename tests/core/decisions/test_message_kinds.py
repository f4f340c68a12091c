"""What a message is that nothing takes in: the first kind that fits."""

import pytest

from takopi.core.chat import IncomingFile, MessageReceived, Scope
from takopi.core.decisions import Command, Ignored, NothingSaid, Prompt, Route
from takopi.core.gathering import LONG_UNITS
from takopi.core.message_kinds import MessageKind, SaidMessage, is_meant, kind_of, stands_alone

PROMPT, NOTHING = Prompt(text="hi", engine="codex"), NothingSaid()


def message(text: str, *, album: str | None = None, files: int = 0) -> MessageReceived:
    """Make a message of a group."""
    return MessageReceived(
        update_id=1,
        scope=Scope("m", -1),
        chat_kind="group",
        message_id=2,
        sender_id=3,
        text=text,
        album=album,
        files=(IncomingFile(kind="photo", file_id="f", name="a.png"),) * files,
    )


@pytest.mark.parametrize(
    ("said", "decision", "meant", "kind"),
    [
        (message("", album="a", files=1), NOTHING, False, "album"),
        (message(" ", album="a"), PROMPT, True, "album"),
        (message("hi", album="a", files=1), PROMPT, False, "aside"),
        (message("hi", album="a", files=1), PROMPT, True, "prompt"),
        (message("", files=1), NOTHING, False, "aside"),
        (message("", files=1), NOTHING, True, "files"),
        (message(""), NOTHING, True, "answered"),
        (message("hi", files=1), Command("x"), True, "answered"),
    ],
)
def test_the_first_kind_that_fits(
    said: MessageReceived, decision: Route, meant: bool, kind: MessageKind
) -> None:
    assert kind_of(SaidMessage(said, decision, meant)) == kind


def test_a_command_stands_alone_unless_it_may_be_the_begin_of_a_paste() -> None:
    assert stands_alone(message("/status"), Command("status"))
    assert not stands_alone(message("/x " + "y" * LONG_UNITS), Command("x"))
    assert stands_alone(message("/x@other"), Ignored())
    assert not stands_alone(message("hi"), PROMPT)


def test_own_words_and_the_trigger_make_a_message_meant() -> None:
    assert is_meant(message("hi"), PROMPT, "all")
    assert not is_meant(message("hi"), PROMPT, "mentions")
    assert is_meant(message("/status"), Command("status"), "mentions")
