"""/resume: a session is named and goes on."""

from pathlib import Path

import pytest

from bridge.session_world import asked, chatting, say, token
from takopi.core.access import access_policy
from takopi.core.chat import IncomingFile, RepliedTo

pytestmark = pytest.mark.anyio

AGAIN = ("$HOME/parser2.py:10 breaks", "s1")
LONG = "0199c8a2-5b1e-7c30"


@pytest.mark.parametrize("mode", ["stateless", "chat"])
@pytest.mark.parametrize(
    "named",
    [LONG, f"codex {LONG}", f"/codex {LONG}", f"codex resume {LONG}", f"`codex resume {LONG}`"],
)
async def test_a_named_session_is_taken_up(mode: str, named: str) -> None:
    """The answer has what a reply to it is read by; in chat mode the next prompt goes on, too."""
    async with chatting(mode) as world:
        await say(world, "one")
        await say(world, f"/resume {named}")
        shown = world.chat.find(f"codex resume {LONG}")
        await say(world, "two", reply_to=shown.message_id)
        await say(world, "/resume codex resume other1")
        await say(world, "three")
        expected = "other1" if mode == "chat" else None
        assert asked(world) == [("one", None), ("two", LONG), ("three", expected)]


@pytest.mark.parametrize("mode", ["stateless", "chat"])
async def test_what_stands_behind_it_is_asked_at_once(mode: str) -> None:
    async with chatting(mode) as world:
        await say(world, f"/resume {LONG} run the tests")
        await say(world, "/resume codex resume s9 and\nthe rest")
        await say(world, "/resume fix the tests\ncodex resume s8")
        await say(world, "four")
        *before, last = asked(world)
        assert before == [("run the tests", LONG), ("and\nthe rest", "s9"), ("fix the tests", "s8")]
        assert last == ("four", "s8" if mode == "chat" else None)


async def test_by_a_reply_the_session_of_that_message_is_meant() -> None:
    """With a prompt behind it or alone, known by its id or by its lines."""
    async with chatting() as world:
        first = await say(world, "/zed one")
        await say(world, "/new /zed two")
        await say(world, "/resume", reply_to=first)
        assert world.chat.texts()[-1].endswith("ctx: zed\ncodex resume s1")
        assert "“one”" in world.chat.texts()[-1]
        assert "Prompts here that begin with /zed go on" in world.chat.texts()[-1]
        await say(world, "/zed three")
        await say(world, "/resume and four", reply_to=first)
        await say(world, "/resume $HOME/parser2.py:10 breaks", reply_to=first)
        old = RepliedTo(7, "✓ done\nctx: api\n`codex resume old`", from_this_bot=True)
        await say(world, "/resume", reply=old)
        await say(world, "/api five")
        assert asked(world)[2:] == [("three", "s1"), ("and four", "s1"), AGAIN, ("five", "old")]


async def test_a_session_stays_in_its_project() -> None:
    """Whatever the place is bound to: prompts of this place do not run into it."""
    async with chatting() as world:
        await say(world, "/zed one")
        await say(world, "/resume s1")
        assert world.chat.texts()[-1].endswith("ctx: zed\ncodex resume s1")
        await say(world, "two")
        await say(world, "/zed three")
        assert asked(world) == [("one", None), ("two", None), ("three", "s1")]


async def test_a_session_that_ran_elsewhere_is_known_by_its_directory() -> None:
    """Such as one that a terminal ran."""
    async with chatting() as world:
        world.host.directories[token(LONG)] = Path("/src/zed")
        await say(world, f"/resume {LONG}")
        assert world.chat.texts()[-1].endswith(f"ctx: zed\ncodex resume {LONG}")


async def test_a_session_of_the_desktop_is_known_by_the_directory_that_its_engine_says() -> None:
    """takopi never ran it."""

    async def session_directory(session: str) -> Path | None:
        return Path("/src/zed") if session == LONG else None

    async with chatting() as world:
        world.codex.session_directory = session_directory  # type: ignore[attr-defined]
        await say(world, f"/resume {LONG}")
        assert world.chat.texts()[-1].endswith(f"ctx: zed\ncodex resume {LONG}")


async def test_a_session_of_no_project_is_gone_on_with_by_a_reply_alone_in_a_projects_chat() -> (
    None
):
    """No directive names no project."""
    async with chatting() as world:
        await say(world, "one", chat=-7, kind="group")
        world.host.directories[token(LONG)] = Path("/elsewhere")
        await say(world, f"/resume {LONG}", chat=-7, kind="group")
        assert world.chat.texts(-7)[-1].startswith("Reply to this message to go on")
        await say(world, "two", chat=-7, kind="group")
        assert asked(world) == [("one", None), ("two", "s1")]


async def test_the_beginning_of_an_id_is_enough_when_one_session_alone_begins_so() -> None:
    async with chatting() as world:
        for words in ("one", "/resume codex resume abcdef-1 a"):
            await say(world, words)
        await say(world, "/resume abcdef")
        assert world.chat.texts()[-1].endswith("codex resume abcdef-1")
        await say(world, "/resume codex resume abcdef-2 b")
        await say(world, "/resume abcdef")
        assert "abcdef cannot be a session of codex" in world.chat.texts()[-1]


async def test_taking_up_what_goes_on_anyhow_changes_nothing() -> None:
    async with chatting() as world:
        await say(world, "one")
        await say(world, "/resume s1")
        assert (await world.store.load()).places == ()
        await say(world, "two")
        assert asked(world)[-1] == ("two", "s1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/resume", "Name a session by its id or its resume line"),
        (
            "/resume gemini resume 0199c8a2",
            "There is no engine gemini here; there are codex, claude",
        ),
        ("/resume /gemini 0199c8a2", "There is no engine gemini here"),
        ("/resume codex --dangerous9", "--dangerous9 cannot be a session of codex"),
        ("/resume codex", "Name a session by its id or its resume line"),
        ("/resume claude $(reboot)1", "$(reboot)1 cannot be a session of claude"),
        ("/resume fix the tests", "fix cannot be a session of codex"),
        ("/resume codex resume", "Name a session by its id or its resume line"),
    ],
)
async def test_what_names_no_session_is_answered_once_with_an_example(text, words) -> None:
    async with chatting() as world:
        await say(world, text)
        assert words in world.chat.texts()[-1]
        assert "/resume " in world.chat.texts()[-1]
        assert len(world.chat.texts()) == 1
        assert world.codex.turns == world.claude.turns == []


async def test_a_turn_without_a_session_has_none_to_take_up() -> None:
    async def fails(turn):
        yield turn.failure("not logged in")

    async with chatting() as world:
        world.codex.scripts = [fails]
        number = await say(world, "one")
        await say(world, "/resume", reply_to=number)
        assert "That turn has no session that could be taken up" in world.chat.texts()[-1]


async def test_messages_of_one_answer_of_the_service_go_where_they_stand() -> None:
    async with chatting() as world:
        make = world.chat.message
        world.chat.feed(
            make("one"), make(f"/resume {LONG}"), make("two"), make("/new"), make("six")
        )
        await world.clock.advance(5)
        assert sorted(asked(world)) == [("one", None), ("six", None), ("two", LONG)]


async def test_files_that_are_not_taken_stop_a_prompt_behind_it() -> None:
    async with chatting(access=access_policy(chat_id=1)) as world:
        file = IncomingFile(kind="document", file_id="f", name="a.txt")
        for text in (f"/resume {LONG} read it", "/new read it"):
            await say(world, text, files=(file,))
            assert "files from the chat are switched off here" in world.chat.texts()[-1]
        assert world.codex.turns == []


async def test_the_answer_names_the_directives_that_come_to_the_session() -> None:
    """Its project, its branch, its engine, as far as they do not hold here."""
    async with chatting() as world:
        await say(world, "/zed @dev /claude one")
        await say(world, "/resume s1")
        assert "Prompts here that begin with /zed @dev /claude go on" in world.chat.texts()[-1]
        await say(world, "/zed @dev /claude two")
        assert asked(world, "claude") == [("one", None), ("two", "s1")]


async def test_a_reply_to_what_has_no_session_names_none() -> None:
    """A message of the bot without lines, and one of somebody else that has them."""
    async with chatting() as world:
        for reply in (
            RepliedTo(7, "hello", from_this_bot=True),
            RepliedTo(8, "codex resume s1", from_this_bot=False),
        ):
            await say(world, "/resume", reply=reply)
            assert "Name a session by its id" in world.chat.texts()[-1]


async def test_a_look_into_the_runs_that_fails_costs_the_place_alone() -> None:
    async with chatting() as world:

        def broken(session: object) -> Path | None:
            raise OSError("the disk does not answer")

        world.host.session_cwd = broken  # type: ignore[method-assign]
        await say(world, f"/resume {LONG}")
        assert world.chat.texts()[-1].endswith(f"codex resume {LONG}")


async def test_what_was_taken_up_goes_on_though_the_clock_was_set_back() -> None:
    """And not what was asked last by the clock."""
    async with chatting() as world:
        await say(world, "one")
        await say(world, "/new two")
        world.clock.epoch -= 3600
        await say(world, "/resume codex s1")
        await say(world, "three")
        await say(world, "four")
        assert asked(world) == [("one", None), ("two", None), ("three", "s1"), ("four", "s1")]
