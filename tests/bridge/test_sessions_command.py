"""/sessions: what there is to go on with, and the buttons to do so."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from bridge.dispatch_stage import WatchedStore
from bridge.session_world import asked, button, chatting, gone, say, tap, token
from bridge.world import World
from fakes.scripted_engine import gated
from takopi.bridge.ports import TurnFilter
from takopi.core.commands import press_data
from takopi.desktop_sessions import DesktopSession
from takopi.errors import StoreError

pytestmark = pytest.mark.anyio

_ANY = TurnFilter()


def lines(world: World, chat: int = 1) -> list[str]:
    """List the lines of the newest list."""
    return world.chat.find("Sessions in", chat).text.splitlines()


def desktop(world: World, *found: tuple[str, str], engine: str = "codex") -> list[Path]:
    """Let an engine know sessions of its own; returns the directories that it was asked for."""
    directories: list[Path] = []
    started = world.clock.wall() - 7200

    async def list_sessions(cwd: Path, limit: int) -> Any:
        directories.append(cwd)
        return tuple(
            DesktopSession(token(value, engine), started - number, title, cwd)
            for number, (value, title) in enumerate(found)
        )[:limit]

    world.engines.runners[engine].list_sessions = list_sessions  # type: ignore[attr-defined]
    return directories


async def test_each_session_is_one_line_with_its_first_words() -> None:
    """Those used last first; engine, age, state, and which of them goes on by itself."""
    async with chatting() as world:
        first = await say(world, "fix the parser")
        await world.clock.advance(3600)
        await say(world, "and the lexer", reply_to=first)
        await say(world, "/new look at the docs")
        world.claude.default = gated(anyio.Event())
        await say(world, "/claude review it")
        await say(world, "/sessions")
        assert lines(world) == [
            "Sessions in no project",
            "1. review it · claude · 0 s ago · running · goes on here",
            "2. look at the docs · codex · 10 s ago · done · goes on here",
            "3. fix the parser · codex · 15 s ago · done",
        ]
        shown = world.chat.find("Sessions in").message
        assert shown is not None
        assert [one.label for [one] in shown.buttons] == [
            "1. review it",
            "2. look at the docs",
            "3. fix the parser",
        ]


async def test_sessions_of_other_projects_branches_and_chats_are_not_among_them() -> None:
    async with chatting() as world:
        for words in ("plain", "/zed one", "/zed @dev two", "/api three"):
            await say(world, words)
        await say(world, "there", chat=-7, kind="group")
        await say(world, "/sessions")
        assert [line.split(" · ")[0] for line in lines(world)[1:]] == ["1. plain"]
        for words, only in (("/zed", "1. one"), ("/zed @dev", "1. two"), ("/api", "1. three")):
            await say(world, f"/sessions {words}")
            assert [line.split(" · ")[0] for line in lines(world)[1:]] == [only]
        await say(world, "/sessions", chat=-7, kind="group")
        assert [line.split(" · ")[0] for line in lines(world, -7)[1:]] == ["1. there"]


async def test_those_of_the_desktop_are_listed_where_the_engine_can() -> None:
    """Each once, also when takopi ran it; those of the directory of the context."""
    async with chatting() as world:
        await say(world, "/zed mine")
        asked_for = desktop(world, ("s1", "known"), ("d1", "from my desk"))
        await say(world, "/sessions /zed")
        assert lines(world)[1:] == [
            "1. mine · codex · 5 s ago · done · goes on here",
            "2. from my desk · codex · 2 h 00 min ago · desktop",
        ]
        assert asked_for == [Path("/src/zed")]
        await tap(world, "Sessions in", "2.")
        assert world.chat.texts()[-1].endswith("ctx: zed\ncodex resume d1")
        await say(world, "/zed on")
        assert asked(world) == [("mine", None), ("on", "d1")]


async def test_what_other_chats_said_is_not_listed_as_if_it_came_from_the_desktop() -> None:
    """An engine's own store has the sessions of all chats and projects that share a directory."""
    async with chatting() as world:
        await say(world, "/zed our secret plan")
        desktop(world, ("s1", "our secret plan"), ("d1", "from my desk"))
        await say(world, "/sessions /zed", chat=-7, kind="group")
        assert [line.split(" · ")[0] for line in lines(world, -7)[1:]] == ["1. from my desk"]


async def test_a_worktree_that_is_not_there_is_not_made_by_a_look() -> None:
    async with chatting() as world:
        asked_for = desktop(world, ("d1", "from my desk"))
        await say(world, "/sessions /zed @new")
        assert world.chat.has("There are no sessions yet in zed @new")
        assert asked_for == []


async def test_an_engine_that_hangs_or_breaks_costs_its_own_sessions() -> None:
    async with chatting() as world:

        async def hangs(cwd: Path, limit: int) -> Any:
            await anyio.sleep_forever()

        async def breaks(cwd: Path, limit: int) -> Any:
            raise ValueError("odd")

        await say(world, "mine")
        world.codex.list_sessions = hangs  # type: ignore[attr-defined]
        world.claude.list_sessions = breaks  # type: ignore[attr-defined]
        await say(world, "/sessions")
        await world.clock.advance(5)
        assert [line.split(" · ")[0] for line in lines(world)[1:]] == ["1. mine"]


@pytest.mark.parametrize("mode", ["stateless", "chat"])
async def test_a_button_takes_a_session_up(mode: str) -> None:
    """As often as somebody presses it; the message that comes is one to reply to."""
    async with chatting(mode) as world:
        await say(world, "one")
        await say(world, "/new two")
        await say(world, "/sessions")
        await tap(world, "Sessions in", "2. one", person=2)
        shown = world.chat.find("codex resume s1")
        assert "“one”" in shown.text
        await say(world, "three")
        await tap(world, "Sessions in", "2. one")
        await say(world, "four")
        await say(world, "five", reply_to=shown.message_id)
        goes_on = "s1" if mode == "chat" else None
        assert asked(world)[2:] == [("three", goes_on), ("four", goes_on), ("five", "s1")]


async def test_a_button_of_a_session_that_takopi_forgot_says_so() -> None:
    """And so does one that was forged: of another chat, of nothing."""
    async with chatting() as world:
        await say(world, "one", chat=-7, kind="group")
        [turn] = await world.store.newest_turns(_ANY, 9)
        await say(world, "hello")
        forged = [
            press_data("sessions", "t", turn.turn_id),
            press_data("sessions", "t", "nothing"),
            press_data("sessions", "p", "nothing", "1"),
            press_data("sessions", "z", "nothing"),
            "x:sessions",
        ]
        before = world.chat.texts()
        for data in forged:
            world.chat.press(data)
            await world.clock.advance(5)
            assert "This button does nothing any more" in world.sent("answer")[-1].text
        assert world.chat.texts() == before


async def test_more_than_a_page_is_turned_over() -> None:
    async with chatting() as world:
        for number in range(10):
            await say(world, f"/new prompt {number}")
        await say(world, "/sessions")
        shown = world.chat.find("Sessions in no project (1/2)").message
        assert shown is not None
        assert len(shown.buttons) == 9
        await tap(world, "Sessions in", "Older")
        assert lines(world)[0] == "Sessions in no project (2/2)"
        assert [line.split(" · ")[0] for line in lines(world)[1:]] == [
            "9. prompt 1",
            "10. prompt 0",
        ]
        await tap(world, "Sessions in", "10. prompt 0")
        assert world.chat.texts()[-1].endswith("codex resume s1")
        await tap(world, "Sessions in", "‹ Newer")
        assert lines(world)[0] == "Sessions in no project (1/2)"


async def test_after_a_restart_a_session_of_the_desktop_is_looked_up_again() -> None:
    """The list is shown anew, and the next press takes it up."""
    async with chatting() as world:
        desktop(world, ("d1", "from my desk"))
        await say(world, "/sessions")
        data = button(world, "Sessions in", "1.").data
    async with chatting() as world:
        desktop(world, ("d1", "from my desk"))
        await say(world, "/help")
        on = world.chat.find("Write what you want done").message_id
        world.chat.press(data, on=on)
        await world.clock.advance(5)
        assert "press again" in world.sent("answer")[-1].text
        assert world.chat.has("Sessions in no project")
        world.chat.press(data, on=on)
        await world.clock.advance(5)
        assert world.chat.texts()[-1].endswith("codex resume d1")


async def test_a_session_that_its_engine_forgot_is_not_offered() -> None:
    async with chatting() as world:
        await say(world, "one")
        world.codex.scripts = [gone]
        await say(world, "two")
        await say(world, "/sessions")
        assert world.chat.has("There are no sessions yet in no project")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/sessions fix it", "/sessions lists sessions; behind it goes whose"),
        ("/sessions /status", "/sessions lists sessions"),
        ("/sessions /nobody", "/nobody"),
        ("/sessions @dev", "No project holds here that @dev could belong to"),
    ],
)
async def test_misuse_is_answered_once(text: str, words: str) -> None:
    async with chatting() as world:
        await say(world, text)
        [answer] = world.chat.texts()
        assert words in answer


async def test_a_session_whose_last_turn_never_began_is_taken_up_by_its_button() -> None:
    """That turn has no session of its own; those before it in its conversation had one."""
    async with chatting(max_runs=1) as world:
        gate = anyio.Event()
        world.codex.default = gated(gate)
        first = await say(world, "one")
        number = await say(world, "two", reply_to=first)
        await say(world, "/cancel", reply_to=number)
        gate.set()
        await say(world, "/new three")
        await say(world, "/sessions")
        await tap(world, "Sessions in", "2. one")
        assert world.chat.texts()[-1].endswith("codex resume s1")


async def test_a_journal_that_does_not_answer_is_told() -> None:
    class Blind(WatchedStore):
        async def newest_turns(self, wanted: TurnFilter, limit: int) -> Any:
            raise StoreError("the disk does not answer")

    async with chatting(store=Blind()) as world:
        await say(world, "/sessions")
        [answer] = world.chat.texts()
        assert "the disk does not answer" in answer


@pytest.mark.parametrize("command", ["new", "resume"])
async def test_forged_buttons_of_commands_without_any_do_nothing(command: str) -> None:
    async with chatting() as world:
        world.chat.press(press_data(command, "x"))
        await world.clock.advance(5)
        assert world.chat.texts() == []
        assert (await world.store.load()).updates == ()


async def test_a_list_that_cannot_be_shown_is_told() -> None:
    """An engine may say of its sessions what nobody can read; who asks is answered all the same."""
    async with chatting() as world:
        title: Any = {"text": "fix it"}
        desktop(world, ("d1", title))
        await say(world, "/sessions")
        assert world.chat.has("takopi failed while listing sessions")
        assert not (await world.store.load()).updates
        desktop(world, *((f"d{number}", f"work {number}") for number in range(20)))
        await say(world, "/sessions")
        desktop(world, ("d1", title))
        told = len(world.sent("send"))
        await tap(world, "Sessions in", "Older")
        assert len(world.sent("send")) == told + 1
        assert lines(world)[1].startswith("1. work 0")
