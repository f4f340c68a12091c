"""Finals that a chat does not take as they are: nothing is lost unsaid, nothing stays behind."""

import pytest

from bridge.outbox_desk import Desk, desk, text
from fakes.clock import settle
from takopi.core.chat import Document
from takopi.errors import ChatLost, TargetLost, TransportError

pytestmark = pytest.mark.anyio

REFUSED = TransportError("Telegram refused sendDocument: not enough rights")


async def posted(d: Desk, content: bytes) -> None:
    """Post a final of a beginning and a file."""
    parts = [text("the beginning"), Document("answer.md", content)]
    await d.final(*parts, instead=d.live())


async def test_a_file_that_a_chat_does_not_take_comes_as_text() -> None:
    """Every word arrives, in order, and a reply to any page is known."""
    async with desk() as d:
        d.chat.fault = lambda call: REFUSED if call.verb == "document" else None
        words = [f"word{number}" for number in range(1500)]
        await posted(d, " ".join(words).encode())
        await d.clock.advance(30)
        first, *pages = d.chat.texts()
        assert first == "the beginning"
        assert pages[0].startswith("This chat did not take the file answer.md; this is its text:")
        assert " ".join(pages).split()[-1500:] == words
        assert len(d.sent) == 1 + len(d.chat.texts()), "the living message, and each page"


async def test_a_huge_file_that_a_chat_does_not_take_ends_with_what_is_missing() -> None:
    """A chat is not filled with hundreds of messages, and what is left out is counted."""
    async with desk() as d:
        d.chat.fault = lambda call: REFUSED if call.verb == "document" else None
        await posted(d, b"word " * 100_000)
        await d.clock.advance(120)
        assert len(d.chat.texts()) < 30
        assert d.chat.texts()[-1] == "✂ 450,848 more characters could not be sent"


async def test_a_final_that_is_given_up_does_not_leave_its_progress_message_behind() -> None:
    """The message that would say "working" for ever says what happened."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.chat.fault = lambda call: REFUSED if call.verb in {"send", "document"} else None
        delivery = await d.final(text("a"), instead=live)
        await d.clock.advance(10)
        assert delivery.refs == [None]
        assert d.chat.texts() == [f"The answer could not be sent: {REFUSED}"]


async def test_a_part_that_is_given_up_is_told() -> None:
    """The other parts stand, the progress message goes, and the person knows of the gap."""
    async with desk() as d:
        bad = Document("answer.md", b"no")
        d.chat.fault = lambda call: REFUSED if call.document == bad or "text" in call.text else None
        live = d.live()
        await settle()
        await d.final(text("one"), bad, instead=live)
        await d.clock.advance(10)
        assert d.chat.texts() == ["one", f"A part of the answer could not be sent: {REFUSED}"]


async def test_an_edit_that_cannot_be_made_leaves_no_second_message() -> None:
    """The final comes as a new message, and the one that could not be edited goes."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.fail(TargetLost("message can't be edited"), on="edit")
        await d.final(text("a"), instead=live, edit=True)
        await d.clock.advance(10)
        assert d.chat.texts() == ["a"]


async def test_nothing_is_told_to_a_chat_that_is_lost() -> None:
    """A bot that was blocked does not go on writing."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.chat.fault = lambda call: ChatLost("blocked")
        await d.final(text("a"), instead=live)
        await d.clock.advance(10)
        assert [call.verb for call in d.chat.calls] == ["send", "send"]
