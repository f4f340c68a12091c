"""A message that may be there already is sent again, and says so."""

import pytest

from bridge.outbox_desk import at, desk, text
from fakes.clock import settle
from fakes.transport import Call
from takopi.core.chat import Button, ChatMessage, Document
from takopi.core.letter_forms import REPEATED
from takopi.core.richtext import Entity, RichText, plain, utf16_len
from takopi.errors import FormatRefused, TransportUnavailable

pytestmark = pytest.mark.anyio

HANGS = TransportUnavailable("no answer in time", maybe_accepted=True)


def unheard_once(*verbs: str):
    """Let the first call of some kinds be carried out without an answer."""
    left = [HANGS]

    def unheard(call: Call) -> Exception | None:
        return left.pop() if left and call.verb in verbs else None

    return unheard


async def test_a_letter_whose_answer_is_missing_is_sent_again_with_a_line_on_top() -> None:
    """Both are on the screen then, and the second one says why."""
    async with desk() as d:
        d.chat.unheard = unheard_once("send")
        bold = ChatMessage(RichText("\U0001f600 yes", (Entity("bold", 3, 3),)))
        await d.final(bold)
        await d.clock.advance(2)
        first, second = d.chat.shown.values()
        assert first.message == bold
        assert second.text == f"{REPEATED}\n\U0001f600 yes"
        assert second.message is not None
        (entity,) = second.message.body.entities
        assert entity.offset == utf16_len(REPEATED) + 1 + 3
        assert d.sent == [second.message_id]


async def test_it_is_sent_again_once_for_each_doubt() -> None:
    """An answer that comes ends it; what was refused meanwhile adds nothing."""
    async with desk() as d:
        d.fail(HANGS, TransportUnavailable("5xx"), HANGS, None)
        await d.outbox.ask(at(), text("a"))
        await d.clock.advance(60)
        assert d.chat.texts() == [f"{REPEATED}\na"]
        assert len(d.tries("send")) == 4


async def test_what_was_certainly_not_taken_is_not_marked() -> None:
    """An outage with clear words leaves no trace on the screen."""
    async with desk() as d:
        d.fail(TransportUnavailable("5xx"), TransportUnavailable("5xx"))
        await d.final(text("a"))
        await d.clock.advance(5)
        assert d.chat.texts() == ["a"]


async def test_a_full_message_makes_room_for_the_line() -> None:
    """It becomes two, nothing is cut away, and the buttons stay below."""
    async with desk() as d:
        words = " ".join(f"\U0001f600{number:04}" for number in range(585))
        full = ChatMessage(plain(words), ((Button("B", "b"),),))
        assert 4096 - utf16_len(words) < 10
        d.fail(HANGS)
        delivery = await d.final(text("before"), full, text("after"))
        d.fail(None, HANGS)
        await d.clock.advance(9)
        before, one, two, after = d.chat.shown.values()
        assert (before.text, after.text) == ("before", "after")
        assert one.text.startswith(REPEATED)
        assert two.text.startswith(REPEATED)
        said = " ".join(shown.text.split("\n", 1)[1] for shown in (one, two))
        assert said == words
        assert one.message is not None
        assert two.message is not None
        assert (one.message.buttons, two.message.buttons) == ((), full.buttons)
        assert [ref.message_id for ref in delivery.refs if ref] == d.sent
        assert len(d.sent) == 4


@pytest.mark.parametrize(
    ("caption", "shown"),
    [
        ("cap", [f"{REPEATED}\ncap"]),
        ("", [REPEATED]),
        ("c" * 1000, [f"{REPEATED}\n{'c' * 1000}", REPEATED]),
    ],
)
async def test_a_file_says_it_in_its_caption(caption: str, shown: list[str]) -> None:
    """A caption without room for it becomes a message before the file."""
    async with desk() as d:
        d.fail(HANGS)
        await d.final(Document("a.md", b"x", plain(caption)))
        await d.clock.advance(9)
        found = [s.document.caption.text if s.document else s.text for s in d.chat.shown.values()]
        assert found == shown


async def test_an_edit_is_made_again_without_a_word() -> None:
    """It leaves no trace."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.chat.unheard = unheard_once("edit", "delete")
        await d.final(text("a"), instead=live, edit=True)
        await d.clock.advance(5)
        assert d.chat.texts() == ["a"]


async def test_the_line_stays_when_the_look_is_refused() -> None:
    """The doubt is about the words, however they look."""
    async with desk() as d:
        d.fail(HANGS, FormatRefused("no"))
        await d.final(ChatMessage(RichText("words", (Entity("bold", 0, 5),))))
        await d.clock.advance(5)
        assert d.chat.texts() == [f"{REPEATED}\nwords"]


async def test_after_a_mistake_of_ours_nobody_knows_what_arrived() -> None:
    """The next form is marked."""
    async with desk() as d:
        d.fail(KeyError("bug"))
        await d.final(ChatMessage(RichText("words", (Entity("bold", 0, 5),))))
        await d.clock.advance(5)
        assert d.chat.texts() == [f"{REPEATED}\nwords"]
