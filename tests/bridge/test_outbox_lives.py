"""Living messages, and the finals that take their place."""

import anyio
import pytest

from bridge.outbox_desk import Desk, at, desk, text
from fakes.clock import settle
from takopi.core.chat import Button, ChatMessage
from takopi.core.richtext import Entity, RichText
from takopi.errors import (
    FloodLimited,
    FormatRefused,
    TargetLost,
    TransportError,
    TransportUnavailable,
)
from takopi.transport import MessageRef

pytestmark = pytest.mark.anyio

RICH = ChatMessage(RichText("words", (Entity("bold", 0, 5),)), ((Button("B", "b"),),))


async def test_a_lost_edit_target_becomes_a_new_message() -> None:
    """A person who deletes the progress message gets another; a final is sent anew."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.chat.shown.clear()
        d.words = "more"
        d.outbox.touch(live)
        await d.clock.advance(5)
        assert d.chat.texts() == ["more"]
        assert len(d.sent) == 2
        d.chat.shown.clear()
        final = await d.final(text("end"), instead=live, edit=True)
        await d.clock.advance(5)
        assert d.chat.texts() == ["end"]
        assert final.refs == [MessageRef(1, d.sent[-1])]


async def test_progress_is_dropped_in_an_outage_and_comes_back_with_what_holds_then() -> None:
    """No look is kept for later."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.fail(TransportUnavailable("down"), TransportUnavailable("down"))
        d.words = "first"
        d.outbox.touch(live)
        await d.clock.advance(3.5)
        d.words = "second"
        await d.clock.advance(30)
        accepted = [call.text for call in d.chat.calls if call.accepted]
        assert accepted == ["progress", "second"]


async def test_a_flooded_progress_message_waits_like_everything_in_its_chat() -> None:
    """All of the time counts, then the newest look goes out."""
    async with desk() as d:
        d.fail(FloodLimited(40))
        d.live()
        await d.clock.advance(39)
        d.words = "newest"
        await d.clock.advance(2)
        assert d.chat.texts() == ["newest"]


async def test_the_progress_message_goes_only_after_the_whole_final_was_accepted() -> None:
    """Until then a person sees at least one of the two."""
    async with desk() as d:
        d.chat.latency_s = 0.5
        live = d.live()
        await d.clock.advance(1)
        await d.final(text("a"), text("b"), instead=live)
        await d.clock.advance(5)
        assert [(call.verb, call.text) for call in d.chat.calls] == [
            ("send", "progress"),
            ("send", "a"),
            ("send", "b"),
            ("delete", ""),
        ]
        assert d.chat.texts() == ["a", "b"]


async def test_taking_back_what_is_gone_is_no_error() -> None:
    """A person may have deleted it; a refusal leaves it."""
    async with desk() as d:
        for error in (TargetLost("gone"), TransportError("too old")):
            live = d.live()
            await d.clock.advance(3)
            d.fail(error, on="delete")
            await d.final(text("a"), instead=live)
            await d.clock.advance(3)
            assert await d.outbox.drain(d.clock.now())


async def test_a_final_that_overtakes_its_progress_message_leaves_nothing_behind() -> None:
    """The progress message that is still on its way is taken back when it arrives."""
    async with desk() as d:
        d.chat.latency_s = 2.0
        live = d.live()
        await d.clock.advance(0.5)
        await d.final(text("a"), instead=live)
        await d.clock.advance(10)
        assert d.chat.texts() == ["a"]


async def test_a_progress_message_that_never_went_out_needs_no_taking_back() -> None:
    """A final of a turn that ended at once stands alone."""
    found = Desk()
    live = found.live()
    await found.final(text("a"), instead=live)
    edited = found.live()
    await found.final(text("b"), instead=edited, edit=True)
    async with anyio.create_task_group() as group:
        group.start_soon(found.outbox.run)
        await settle()
        assert [call.verb for call in found.chat.calls] == ["send", "send"]
        group.cancel_scope.cancel()


async def test_refused_formatting_of_progress_stays_plain() -> None:
    """What was refused once is not tried again."""
    async with desk() as d:
        d.fail(FormatRefused("bad entity"))
        live = d.outbox.live(at(), lambda moment: RICH, "t1")
        await settle()
        (shown,) = d.chat.shown.values()
        assert shown.message == text("words")
        d.outbox.touch(live)
        await d.clock.advance(30)
        assert len(d.chat.calls) == 2


async def test_a_final_that_is_refused_for_no_known_reason_arrives_in_another_form() -> None:
    """First plain, then as a new message, then as a file that takes the place of the old one."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.fail(*[TransportError("what?")] * 3)
        await d.final(RICH, instead=live, edit=True)
        await d.clock.advance(5)
        tried = [call.verb for call in d.chat.calls]
        assert tried == ["send", "edit", "edit", "send", "document", "delete"]
        (document,) = [shown.document for shown in d.chat.shown.values() if shown.document]
        assert document.content == b"words"
