"""Sessions that go on by themselves never mix, and replies go on with what they reply to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.draws import one_of_each
from bridge.session_world import chatting, gone, say
from bridge.world import World
from fakes.clock import settle
from fakes.scripted_engine import Script, ScriptedTurn, prompt_answer, until_cancelled
from takopi.context import RunContext
from takopi.core.chat import MessageEdited, Scope
from takopi.model import TakopiEvent

PLACES = ((1, None), (-7, 5), (-7, 6))
CONTEXTS = ("", "/zed", "/zed @dev", "/api")
ENGINES = ("codex", "claude")

Key = tuple[int, int | None, str, str | None, str]


async def long_answer(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
    """Answer with more than one message holds."""
    yield turn.started()
    yield turn.answer("word " * 2000)


async def early_failure(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
    """Fail before there is a session."""
    yield turn.failure("not logged in")


ENDS: dict[str, Script] = {
    "answer": prompt_answer,
    "long": long_answer,
    "early": early_failure,
    "cancel": until_cancelled,
    "gone": gone,
}

TOPIC = ((-7, 6), "", "codex")
# A place is a draw of its own, so that hypothesis finds out to repeat it.
WHERE = one_of_each(PLACES, CONTEXTS, ENGINES)
WHAT = one_of_each(("prompt", "prompt", "reply", "new"), sorted(ENDS), range(256))
STEPS = st.lists(
    st.builds(lambda what, where: (what[0], where, *what[1:]), WHAT, WHERE),
    min_size=1,
    max_size=9,
)
FLAGS = one_of_each((False, True), (False, True))
SAID = st.lists(
    st.builds(lambda flags, where: (flags[0], where, flags[1]), FLAGS, WHERE),
    min_size=1,
    max_size=9,
)


def key_of(where: tuple[tuple[int, int | None], str, str]) -> Key:
    """Say what has a session of its own."""
    (chat, thread), words, engine = where
    project, _, branch = words.removeprefix("/").partition(" @")
    if not project and chat == -7:
        project = "api"
    return chat, thread, project, branch or None, engine


@dataclass(eq=False)
class Talk:
    """Be a session, or what is to become one: turns that failed before it was known share it.

    One that its engine did not know is lost until the engine names it again.
    """

    session: str | None = None
    lost: bool = False


@dataclass
class Model:
    """Be what should be: the session of each key, and that of each message.

    Args:
        world: What is.
        current: What the next prompt of a key goes on with.
        of_message: Key and session of the turn of each message.
    """

    world: World
    current: dict[Key, Talk | None] = field(default_factory=dict)
    of_message: dict[tuple[int, int], tuple[Key, Talk]] = field(default_factory=dict)

    async def step(self, kind: str, where: tuple, end: str, pick: int) -> None:
        """Do something, and compare what came of it with what should."""
        (chat, thread), words, engine = where
        at = {"chat": chat, "thread": thread, "kind": "group" if chat < 0 else "private"}
        key = key_of(where)
        if kind == "new":
            await self.say(f"/new {words} /{engine}", at)
            self.current[key] = None
            return
        text = f"{words} /{engine} prompt"
        if kind == "reply":
            mine = [m for m, (k, _) in sorted(self.of_message.items()) if k[:2] == (chat, thread)]
            if not mine:
                return
            target = mine[pick % len(mine)]
            key, talk = self.of_message[target]
            at["reply_to"] = target[1]
            text = "prompt"
        else:
            talk = self.current.get(key) or Talk()
        await self.run(key, talk, end, text, at)

    async def say(self, text: str, at: dict, seconds: float = 60) -> int:
        """Write a message, and wait until the budgets of the chat have let everything out."""
        number = self.world.chat.write(text, **at).message_id
        await self.world.clock.advance(seconds)
        return number

    async def run(self, key: Key, talk: Talk, end: str, text: str, at: dict) -> None:
        """Let a prompt run, and look at its session, its place and its messages."""
        runner = self.world.engines.runners[key[4]]
        runner.scripts = [ENDS[end]]
        calls = len(self.world.chat.calls)
        # One that is cancelled at last shows its progress for as long as it is waited for.
        number = await self.say(text, at, 5 if end == "cancel" else 60)
        turn = runner.turns[-1]
        if end == "cancel":
            await self.say("/cancel", {**at, "reply_to": number})
        resumed = turn.request.resume and turn.request.resume.value
        assert resumed == talk.session, f"{resumed} in place of {talk.session}"
        known = await self.world.store.turn_of_message(key[0], number)
        assert known is not None
        assert known.context == RunContext(key[2] or None, key[3])
        if end not in ("early", "gone"):
            talk.session, talk.lost = turn.session.value, False
        if end == "gone" and talk.session is not None:
            talk.lost = True
            if self.current.get(key) is talk:  # whatever else goes on there goes on
                self.current[key] = None
        else:
            self.current[key] = None if talk.lost else talk
        sent = [call for call in self.world.chat.calls[calls:] if call.verb == "send"]
        assert {call.chat for call in sent} == {key[0]}
        for message in (number, *(call.message_id for call in sent)):
            assert await self.world.store.turn_of_message(key[0], message) is not None
            self.of_message[key[0], message] = (key, talk)


@given(steps=STEPS, shown=st.booleans())
@example(
    steps=[
        ("prompt", TOPIC, "answer", 0),
        ("prompt", TOPIC, "gone", 0),
        ("reply", TOPIC, "early", 0),  # says nothing of the session, so it is as lost as before
        ("prompt", TOPIC, "answer", 0),
    ],
    shown=False,
)
@example(
    steps=[
        ("prompt", TOPIC, "answer", 0),
        ("reply", TOPIC, "gone", 0),
        ("prompt", TOPIC, "answer", 0),
        ("reply", TOPIC, "gone", 0),  # the first session, lost long ago; the second one lives
        ("prompt", TOPIC, "answer", 0),
    ],
    shown=False,
)
@example(
    steps=[
        ("prompt", TOPIC, "answer", 0),
        ("new", TOPIC, "answer", 0),
        ("prompt", TOPIC, "answer", 0),
        ("reply", TOPIC, "gone", 0),  # the session before /new, which is not what goes on
        ("prompt", TOPIC, "answer", 0),
    ],
    shown=False,
)
@example(
    steps=[
        ("prompt", TOPIC, "answer", 0),
        ("prompt", TOPIC, "gone", 0),
        ("reply", TOPIC, "early", 0),
        ("prompt", TOPIC, "early", 0),  # begins anew, and has no session at all
        ("reply", TOPIC, "answer", 11),  # to that one: not to what was lost before it
    ],
    shown=False,
)
def test_each_place_context_and_engine_has_its_own_session(steps, shown: bool) -> None:
    """However turns end; a reply to any message of a turn goes on with it, resume line or not."""

    async def play() -> None:
        async with chatting(show_resume_line=shown) as world:
            model = Model(world)
            for step in steps:
                await model.step(*step)
            used: dict[tuple[str, str], set[Key]] = {}
            for key, talk in model.of_message.values():
                if talk.session is not None:
                    used.setdefault((key[4], talk.session), set()).add(key)
            assert all(len(keys) == 1 for keys in used.values()), "a session in two places"

    anyio.run(play)


@given(said=SAID, slow=st.booleans())
def test_what_comes_in_one_answer_of_the_service_goes_on_in_its_order(said, slow: bool) -> None:
    """Prompts share a session when they share place, context and engine, and no /new between."""

    async def play() -> None:
        async with chatting() as world:
            if slow:
                for runner in (world.codex, world.claude):
                    runner.default = after_a_while(world)
            parts: dict[Key, int] = {}
            expected: list[tuple[Key, int]] = []
            updates = []
            for is_new, where, with_prompt in said:
                (chat, thread), words, engine = where
                key = key_of(where)
                parts[key] = parts.get(key, 0) + is_new
                text = f"{words} /{engine}"
                if with_prompt or not is_new:
                    text = f"{text} prompt {len(expected)}"
                    expected.append((key, parts[key]))
                text = f"/new {text}" if is_new else text
                kind = "group" if chat < 0 else "private"
                updates.append(world.chat.message(text, chat=chat, thread=thread, kind=kind))
            world.chat.feed(*updates)
            await world.clock.advance(100)
            turns = [*world.codex.turns, *world.claude.turns]
            sessions = {t.request.prompt: (t.runner.engine, t.session.value) for t in turns}
            found = [sessions[f"prompt {number}"] for number in range(len(expected))]
            for one, other in ((a, b) for a in range(len(found)) for b in range(a)):
                same = expected[one] == expected[other]
                assert (found[one] == found[other]) == same, (said[one], said[other])

    anyio.run(play)


def after_a_while(world: World) -> Script:
    """Make a script that takes its time, also before it names its session."""

    async def script(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
        await world.clock.sleep_until(world.clock.now() + 1)
        yield turn.started()
        await world.clock.sleep_until(world.clock.now() + 1)
        yield turn.answer("ok")

    return script


@pytest.mark.anyio
async def test_a_waiting_prompt_that_goes_on_by_itself_can_be_edited() -> None:
    """It stays where it goes on; new words that name another engine are refused."""
    async with chatting() as world:
        world.codex.default = after_a_while(world)
        await say(world, "one")
        world.chat.write("two")
        number = world.chat.write("three").message_id
        await settle()
        world.chat.feed(edit(world, number, "three, but better"))
        await world.clock.advance(0.5)
        world.chat.feed(edit(world, number, "/claude three"))
        await world.clock.advance(20)
        assert [t.request.prompt for t in world.codex.turns] == ["one", "two", "three, but better"]
        assert {t.session.value for t in world.codex.turns} == {"s1"}
        assert world.chat.has("This edit was not taken over, because it names claude")


def edit(world: World, number: int, text: str):
    """Make the update of an edit."""
    return MessageEdited(
        update_id=world.chat.number(),
        scope=Scope("memory", 1),
        chat_kind="private",
        message_id=number,
        sender_id=1,
        text=text,
        edited_at=world.clock.wall(),
    )
