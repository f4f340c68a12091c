"""What a person sends at once is one prompt, and what they send twice is two."""

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.dispatch_stage import Stage, staged
from fakes.scripted_engine import gated, until_cancelled
from takopi.core.chat_settings import ChatSettings, SessionMode
from takopi.core.gathering import LONG_UNITS
from takopi.model import ResumeToken

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

LONG = "x" * LONG_UNITS
FULL = "y" * 4096


async def test_two_prompts_in_one_answer_are_two_turns_at_once() -> None:
    """Nothing waits, and nothing is left unhandled."""
    async with staged() as stage:
        await stage.arrive(stage.chat.message("one"), stage.chat.message("two"))
        assert stage.prompts() == ["one", "two"]
        assert await stage.unhandled() == []


async def test_a_prompt_and_its_marks_are_one_transaction() -> None:
    """The turn, its messages and the handled updates stand in the journal together."""
    async with staged() as stage:
        prompt = stage.chat.message("look")
        forward = stage.chat.message("theirs", forwarded=True)
        await stage.arrive(prompt, forward)
        first = stage.store.commits[0]
        assert [type(change).__name__ for change in first] == [
            "TurnPut",
            "MessageBound",
            "MessageBound",
            "UpdateHandled",
            "UpdateHandled",
        ]


async def test_forwards_in_the_same_answer_go_with_their_prompt() -> None:
    """Whatever stands between them; a reply to any of them goes on in the session."""
    async with staged() as stage:
        prompt, other = stage.chat.message("/claude why?"), stage.chat.message("/help")
        forwards = [stage.chat.message(text, forwarded=True) for text in ("/cancel", "it broke")]
        await stage.arrive(prompt, other, *forwards)
        assert stage.prompts() == ["why?\n\n/cancel\n\nit broke"]
        await stage.clock.advance(5)
        reply = stage.chat.message("and now?", reply_to=forwards[1].message_id)
        await stage.arrive(reply)
        assert stage.claude.turns[1].request.resume == ResumeToken("claude", "s1")


@pytest.mark.parametrize("mode", ["stateless", "chat"])
async def test_forwards_go_with_a_prompt_that_a_command_asks(mode: SessionMode) -> None:
    """In either mode, though a command stands alone; without forwards it waits for nothing."""
    async with staged(chats=ChatSettings(session_mode=mode)) as stage:
        prompt = stage.chat.message("/new /claude why?")
        forwards = [stage.chat.message(text, forwarded=True) for text in ("/cancel", "it broke")]
        await stage.arrive(prompt, *forwards)
        await stage.clock.advance(1)
        assert stage.prompts() == ["why?\n\n/cancel\n\nit broke"]
        assert await stage.unhandled() == []
        await stage.arrive(stage.chat.message("/new /claude again"))
        assert stage.prompts()[1:] == ["again"]


async def test_a_forward_alone_is_a_prompt_and_others_go_with_it() -> None:
    """A handful of forwarded messages is one thing to look at."""
    async with staged() as stage:
        await stage.arrive(*(stage.chat.message(f"m{n}", forwarded=True) for n in range(3)))
        assert stage.prompts() == ["m0\n\nm1\n\nm2"]


async def test_a_forward_joins_a_turn_that_waits_and_none_that_runs() -> None:
    """While the turn is queued its prompt grows; once it runs the forward is a prompt."""
    gate = anyio.Event()
    async with staged(max_runs=1) as stage:
        stage.codex.scripts = [gated(gate)]
        await stage.arrive(stage.chat.message("runs"))
        await stage.arrive(stage.chat.message("waits"))
        await stage.clock.advance(60)
        await stage.arrive(stage.chat.message("theirs", forwarded=True))
        assert [turn.prompt for turn in stage.scheduler.turns()] == ["runs", "waits\n\ntheirs"]
        assert await stage.unhandled() == []
        gate.set()
        await stage.clock.advance(9)
        await stage.arrive(stage.chat.message("late", forwarded=True))
        assert stage.prompts() == ["runs", "waits\n\ntheirs", "late"]


async def test_a_long_text_waits_for_its_rest_and_then_starts_at_once() -> None:
    """The end of a paste is short, so nothing more is waited for."""
    async with staged() as stage:
        await stage.arrive(stage.chat.message(FULL))
        await stage.clock.advance(0.9)
        assert stage.prompts() == []
        await stage.arrive(stage.chat.message("the end"))
        assert stage.prompts() == [FULL + "the end"]


async def test_a_long_text_without_a_rest_starts_after_a_second() -> None:
    """A text is only rarely cut."""
    async with staged() as stage:
        await stage.arrive(stage.chat.message(LONG))
        await stage.clock.advance(0.99)
        assert stage.prompts() == []
        await stage.clock.advance(0.02)
        assert stage.prompts() == [LONG]
        await stage.arrive(stage.chat.message("another"))
        assert stage.prompts() == [LONG, "another"]


async def test_only_the_first_piece_has_directives_and_resume_lines() -> None:
    """The rest of a paste is content, whatever it begins with."""
    async with staged() as stage:
        rest = "/codex resume\n`codex resume abc`"
        await stage.arrive(stage.chat.message(f"/claude {LONG}"), stage.chat.message(rest))
        (turn,) = stage.claude.turns
        assert turn.request.prompt == f"{LONG}\n{rest}"
        assert turn.request.resume is None


async def test_a_command_is_no_rest_of_a_paste() -> None:
    """It acts, and the paste starts without it."""
    async with staged() as stage:
        stage.codex.default = until_cancelled
        await stage.arrive(stage.chat.message(LONG))
        await stage.arrive(stage.chat.message("/status"))
        await stage.arrive(stage.chat.message("/x@otherbot", addressed_to_other=True))
        await stage.clock.advance(2)
        assert stage.prompts() == [LONG]
        assert stage.chat.has("Versions")
        assert await stage.unhandled() == []


async def test_a_part_that_is_as_long_is_a_rest_whatever_it_begins_with() -> None:
    """Nobody writes a command like that."""
    async with staged() as stage:
        await stage.arrive(stage.chat.message(FULL), stage.chat.message(f"/help {LONG}"))
        await stage.clock.advance(2)
        assert stage.prompts() == [f"{FULL}/help {LONG}"]


async def test_what_comes_behind_a_cancel_does_not_go_into_what_it_meant() -> None:
    """A forward that was sent after /cancel is a prompt of its own."""
    async with staged() as stage:
        await stage.arrive(stage.chat.message(LONG))
        messages = stage.chat.message("/cancel"), stage.chat.message("theirs", forwarded=True)
        await stage.arrive(*messages)
        await stage.clock.advance(5)
        assert stage.prompts() == ["theirs"]
        assert stage.chat.has("■ cancelled")


async def test_messages_are_read_in_the_order_in_which_they_were_sent() -> None:
    """A service may hand them out in another one."""
    async with staged() as stage:
        first, second, third = (stage.chat.message(text) for text in (FULL, "b", "/help"))
        await stage.arrive(third, second, first)
        assert stage.prompts() == [FULL + "b"]
        assert await stage.unhandled() == []


async def test_pieces_stand_in_the_order_in_which_they_were_sent() -> None:
    """Also when a later one came in an earlier answer."""
    gate = anyio.Event()
    async with staged(max_runs=1) as stage:
        stage.codex.scripts = [gated(gate)]
        await stage.arrive(stage.chat.message("runs"))
        prompt = stage.chat.message("why?")
        first, second = (stage.chat.message(text, forwarded=True) for text in ("1", "2"))
        await stage.arrive(prompt)
        await stage.arrive(second)
        await stage.arrive(first)
        gate.set()
        await stage.clock.advance(5)
        assert stage.prompts() == ["runs", "why?\n\n1\n\n2"]


async def test_a_reply_to_a_prompt_of_the_same_answer_goes_on_in_its_session() -> None:
    """Also before anything of it is written down."""
    async with staged() as stage:
        first = stage.chat.message("one")
        await stage.arrive(first, stage.chat.message("two", reply_to=first.message_id))
        await stage.clock.advance(5)
        assert stage.prompts() == ["one", "two"]
        assert stage.codex.turns[1].request.resume == ResumeToken("codex", "s1")


# Albums.


async def test_an_album_starts_half_a_second_after_its_last_part() -> None:
    """With the words of any part, and the first message is answered."""
    async with staged() as stage:
        first = stage.chat.message("", album="a")
        await stage.arrive(first)
        await stage.clock.advance(0.3)
        await stage.arrive(stage.chat.message("/claude look", album="a"))
        await stage.clock.advance(0.4)
        await stage.arrive(stage.chat.message("", album="a"))
        await stage.clock.advance(0.4)
        assert stage.prompts() == []
        assert len(await stage.unhandled()) == 0
        await stage.clock.advance(0.2)
        assert [turn.request.prompt for turn in stage.claude.turns] == ["look"]
        sent = [call for call in stage.chat.calls if call.verb == "send"]
        assert sent[0].options is not None
        assert sent[0].options.reply_to is not None
        assert sent[0].options.reply_to.message_id == first.message_id


async def test_an_album_without_words_gets_one_hint() -> None:
    """Once no part can come any more; until then its parts are unhandled."""
    async with staged() as stage:
        parts = [stage.chat.message("", album="a") for _ in range(4)]
        await stage.arrive(*parts[:3])
        await stage.clock.advance(0.3)
        await stage.arrive(parts[3])
        assert len(await stage.unhandled()) == 4
        assert stage.answers() == []
        await stage.clock.advance(0.6)
        (answer,) = stage.answers()
        assert answer.startswith("There is no text in this message")
        assert await stage.unhandled() == []
        assert stage.prompts() == []


async def test_an_album_without_words_in_a_group_is_not_for_takopi() -> None:
    """People show each other pictures there."""
    async with staged() as stage:
        await stage.arrive(stage.chat.message("", album="a", kind="group"))
        await stage.clock.advance(1)
        assert stage.chat.calls == []
        assert await stage.unhandled() == []


async def test_an_album_that_a_crash_interrupted_is_read_after_the_start() -> None:
    """Its parts stand unhandled in the journal, with the moments of their arrival."""
    stage = Stage()
    async with stage.on():
        await stage.arrive(stage.chat.message("", album="a"))
    await stage.clock.advance(60)
    async with stage.on():
        assert len(stage.answers()) == 1
        assert await stage.unhandled() == []


# Crashes.


async def test_a_paste_that_waited_at_a_crash_starts_after_the_start() -> None:
    """The deadline stands with the turn, and is over by then."""
    stage = Stage()
    async with stage.on():
        await stage.arrive(stage.chat.message(LONG))
        assert stage.prompts() == []
    await stage.clock.advance(60)
    async with stage.on():
        assert stage.prompts() == [LONG]


async def test_updates_that_were_taken_and_not_handled_are_handled_after_the_start() -> None:
    """As they would have been: together, in their order, timed by when they were taken."""
    stage = Stage()
    async with stage.on():
        await stage.accept(stage.chat.message(FULL))
        await stage.clock.advance(0.5)
        await stage.accept(stage.chat.message("the end", date=1.0), stage.chat.message("other"))
    await stage.clock.advance(3600)
    async with stage.on():
        assert stage.prompts() == [FULL + "the end", "other"]
        assert await stage.unhandled() == []


ARRIVALS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.2, 0.6, 1.0, 1.5, 4.0]),
        st.sampled_from(["short", "long", "full", "forward"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=min(settings().max_examples, 1_000))
@given(arrivals=ARRIVALS)
def test_no_words_are_lost_doubled_or_moved_on_their_way(arrivals: list[tuple[float, str]]) -> None:
    """Each message reaches an engine once, in its order, whenever it arrives."""

    async def live() -> None:
        async with staged() as stage:
            batch, said = [], []
            for number, (pause_s, kind) in enumerate(arrivals):
                if pause_s:
                    await stage.arrive(*batch)
                    batch = []
                    await stage.clock.advance(pause_s)
                size = {"long": LONG_UNITS, "full": 4096 - 4}.get(kind, 1)
                said.append(f"<{number:02d}>" + "z" * size)
                batch.append(stage.chat.message(said[-1], forwarded=kind == "forward"))
            await stage.arrive(*batch)
            await stage.clock.advance(60)
            prompts = stage.prompts()
            assert await stage.unhandled() == []
            for words in said:
                assert sum(prompt.count(words) for prompt in prompts) == 1
            for prompt in prompts:
                found = [words for words in said if words in prompt]
                assert [prompt.index(words) for words in found] == sorted(
                    prompt.index(words) for words in found
                )
                assert len(prompt.replace("\n", "")) == sum(map(len, found))
            alone = [kind for _, kind in arrivals if kind == "short"]
            assert len(prompts) >= len(alone) - sum(
                kind in ("long", "full") for _, kind in arrivals
            )

    anyio.run(live)
