"""/diff shows what was changed, and commits or puts back what it showed, never beside a turn."""

from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from bridge.test_contexts import projects, runs
from bridge.test_ctx_command import buttons, says
from bridge.test_worktrees_command import press
from bridge.world import World, serving
from fakes.clock import settle
from fakes.scripted_engine import gated
from takopi.core.commands import press_data
from takopi.core.places import PlaceRecord
from takopi.core.tree_replies import branch_mark
from takopi.core.working_trees import Changes, FileChange, Worktree
from takopi.errors import ChatLost

pytestmark = pytest.mark.anyio

HERE = PlaceRecord(key="memory:1", project="zed")
DEV = Worktree("dev", Path("/src/zed/.worktrees/dev"))
DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-old\n+new\n"
ONE = Changes((FileChange("a.py", "modified", 1, 1),), DIFF)
TWO = Changes((*ONE.files, FileChange("b.png", "added")), DIFF)


async def asked(
    world: World, *, snapshot: str | None = "s1", text: str = "/zed fix\nthe login"
) -> int:
    """Run a turn, and return the number of its prompt."""
    world.workspaces.snapshots = [snapshot]
    prompt = world.chat.write(text)
    await world.clock.advance(5)
    return prompt.message_id


async def test_the_working_tree_of_the_place_is_shown() -> None:
    """A short diff stands in the message."""
    async with projects(HERE) as world:
        world.workspaces.uncommitted = ONE
        words = await says(world, "/diff")
        assert words.startswith("zed · in no commit\n1 file +1 −1\na.py +1 −1\n\ndiff --git")
        shown = max(world.chat.shown.values(), key=lambda found: found.message_id)
        kinds = {(e.kind, e.language) for e in shown.message.body.entities}
        assert ("pre", "diff") in kinds
        assert list(buttons(world)) == ["Commit", "Revert"]


async def test_a_reply_to_a_turn_shows_what_changed_since_it_began() -> None:
    """Without a snapshot, what is in no commit."""
    async with projects() as world:
        number = await asked(world)
        world.workspaces.since = {"s1": TWO}
        words = await says(world, "/diff", reply_to=number)
        assert words.startswith("zed · since this turn began\n2 files")
        assert "b.png no text · new" in words
        assert list(buttons(world)) == ["Revert"]
        number = await asked(world, snapshot=None)
        assert "zed · in no commit\nNothing was" in await says(world, "/diff", reply_to=number)


async def test_a_reply_to_an_older_turn_leaves_out_what_later_turns_changed() -> None:
    """As far as is known how the next one began; else that is said. The words are its own."""
    async with projects() as world:
        world.workspaces.since = {"s1": TWO, "s1..s2": ONE, "s2": TWO}
        world.workspaces.uncommitted = TWO
        number = await asked(world)
        second = await asked(world, snapshot="s2", text="/zed tidy")
        await asked(world, snapshot=None, text="/zed polish")
        words = await says(world, "/diff", reply_to=number)
        assert words.startswith("zed · since this turn began, until the next one did\n1 file")
        assert "among these" not in words
        words = await press(world, buttons(world)["Commit"])
        assert "All that is in no commit is committed, not only what this turn changed." in words
        assert "As: fix\n" in words
        words = await says(world, "/diff", reply_to=second)
        assert words.startswith("zed · since this turn began\n2 files")
        assert "Later turns worked there, too; their changes are among these." in words


async def test_what_others_changed_beside_a_turn_is_said() -> None:
    """Nobody can tell it apart."""
    async with projects() as world:
        world.workspaces.since = {"s1": TWO}
        world.claude.default = gated(anyio.Event())
        number = await asked(world)
        await asked(world, snapshot="s2", text="/zed tidy")
        words = await says(world, "/diff", reply_to=number)
        assert words.startswith("zed · since this turn began\n2 files")
        assert "Another turn worked there meanwhile; its changes are among these." in words


async def test_the_words_of_another_chat_are_not_proposed() -> None:
    async with projects(HERE) as world:
        world.workspaces.uncommitted = ONE
        await asked(world, text="tidy up")
        await says(world, "/diff", chat=-7, kind="group")
        ask = buttons(world, -7)["Commit"]
        assert "As:" not in await press(world, ask, chat=-7)


async def test_a_branch_is_shown_since_it_began() -> None:
    async with projects(HERE) as world:
        world.workspaces.made = [DEV]
        world.workspaces.on_branch = TWO
        assert "zed @dev · since the branch began\n2 files" in await says(world, "/diff @dev")
        assert buttons(world) == {}
        assert "@gone has no worktree" in await says(world, "/diff @gone")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/diff everything", "/diff commit fix the login"),
        ("/diff commit", "/diff commit fix the login"),
        ("/diff @dev commit", "/diff @branch commit fix the login"),
        ("/diff @dev show", "/diff @branch commit fix the login"),
        ("/diff @a @b", "/diff commit fix the login"),
        ("/diff @--output=x", "is no branch"),
        ("/diff @a..b", "is no branch"),
        ("/diff @dev", "No project holds here that @dev"),
    ],
)
async def test_misuse_is_answered_with_an_example(text, words) -> None:
    async with projects() as world:
        assert words in await says(world, text)
        assert len(world.chat.texts()) == 1


async def test_a_long_diff_comes_as_a_document_and_secrets_not_at_all() -> None:
    secret = "diff --git a/.env b/.env\n--- a/.env\n+++ b/.env\n@@ -0,0 +1 @@\n+KEY=hunter2\n"
    long = Changes((*ONE.files, FileChange(".env", "added", 1, 0)), secret + DIFF * 100)
    async with projects(HERE) as world:
        world.workspaces.uncommitted = long
        await says(world, "/diff")
        (document,) = [call.document for call in world.sent("document")]
        assert document.filename == "zed.diff"
        assert document.content.decode() == "diff --git a/.env b/.env\n" + DIFF * 100
        listed = next(text for text in world.chat.texts() if text.startswith("zed · in no commit"))
        assert "The lines of 1 file are not shown" in listed


async def test_a_document_that_the_chat_does_not_take_is_told() -> None:
    async with projects(HERE) as world:
        world.workspaces.uncommitted = replace(ONE, diff=DIFF * 100, cut=True)
        world.chat.fault = lambda call: ChatLost("no") if call.document else None
        await says(world, "/diff")
        await world.clock.advance(5)
        assert world.chat.texts()[-1] == "The chat did not take zed.diff."


async def test_commit_offers_the_prompts_first_words() -> None:
    """Another press, or one about something else, asks again or says that nothing is left."""
    async with projects() as world:
        number = await asked(world)
        world.workspaces.since = {"s1": ONE}
        world.workspaces.uncommitted = TWO
        await says(world, "/diff", reply_to=number)
        words = await press(world, buttons(world)["Commit"])
        assert words.startswith("Commit in zed?\n2 files +1 −1\n")
        assert (
            "As: fix\nWith other words, as a reply to a message of that turn: /diff commit fix"
        ) in words
        agreed = buttons(world)["Commit so"]
        world.workspaces.uncommitted = ONE
        assert "1 file +1 −1" in await press(world, agreed)
        assert world.workspaces.commits == []
        agreed = buttons(world)["Commit so"]
        assert await press(world, agreed) == "Committed in zed: 0123456789 fix"
        assert world.workspaces.commits == [(Path("/src/zed"), "fix")]
        assert "Nothing is changed in zed any more" in await press(world, agreed)
        assert len(world.workspaces.commits) == 1


async def test_in_a_place_the_newest_prompt_there_gives_the_words() -> None:
    """Without one the person has to say them."""
    async with projects(HERE) as world:
        world.workspaces.uncommitted = ONE
        await says(world, "/diff")
        ask = buttons(world)["Commit"]
        assert "As:" not in await press(world, ask, on=1)
        await asked(world, text="tidy up")
        assert "As: tidy up" in await press(world, ask, on=2)


async def test_a_button_that_is_pressed_twice_asks_once() -> None:
    """The question is asked anew where it stands, until it is decided."""
    async with projects() as world:
        number = await asked(world)
        world.workspaces.since = {"s1": ONE}
        world.workspaces.uncommitted = ONE
        await says(world, "/diff", reply_to=number)
        shown = world.chat.find("since this turn began")
        ask = buttons(world)["Commit"]
        world.chat.press(ask, on=shown.message_id)
        await press(world, ask, on=shown.message_id)
        count = len(world.chat.texts())
        world.workspaces.uncommitted = TWO
        words = await press(world, ask, on=shown.message_id)
        assert words.startswith("Commit in zed?\n2 files")
        assert len(world.chat.texts()) == count
        question = world.chat.find("Commit in zed?")
        await press(world, buttons(world)["Commit so"], on=question.message_id)
        assert question.text == "Committed in zed: 0123456789 fix"
        world.workspaces.uncommitted = ONE
        assert "Commit in zed?" in await press(world, ask, on=shown.message_id)
        assert question.text == "Committed in zed: 0123456789 fix"
        assert (await world.store.load()).updates == ()


async def test_own_words_commit_at_once() -> None:
    async with projects(HERE) as world:
        world.workspaces.uncommitted = ONE
        words = await says(world, "/diff commit Fix the login\n\nIt was broken.")
        assert words.startswith("Committed in zed: 0123456789 Fix the login It was broken.")
        ((_, text),) = world.workspaces.commits
        assert text == "Fix the login\n\nIt was broken."
        assert "nothing to commit" in await says(world, "/diff commit again")


async def test_own_words_commit_a_branch_from_anywhere() -> None:
    """What asks whether to commit says how."""
    async with projects(HERE) as world:
        world.workspaces.made = [DEV]
        world.workspaces.uncommitted = world.workspaces.on_branch = ONE
        await says(world, "/diff @dev")
        words = await press(world, buttons(world)["Commit"])
        assert "With other words: /diff @dev commit fix the login" in words
        words = await says(world, "/diff @dev Commit\nFix it")
        assert words.startswith("Committed in zed @dev: 0123456789 Fix it")
        assert world.workspaces.commits == [(DEV.path, "Fix it")]


async def test_revert_asks_and_names_what_is_kept() -> None:
    """To where the turn began; what was not shown is asked about again."""
    async with projects() as world:
        number = await asked(world)
        world.workspaces.since = {"s1": ONE}
        world.workspaces.uncommitted = ONE
        await says(world, "/diff", reply_to=number)
        words = await press(world, buttons(world)["Revert"])
        assert "To how they were when this turn began" in words
        assert "refs/takopi/kept/" in words
        agreed = buttons(world)["Put 1 file back"]
        world.workspaces.since = {"s1": TWO}
        assert "2 files" in await press(world, agreed)
        assert world.workspaces.reverts == []
        words = await press(world, buttons(world)["Put 2 files back"])
        assert "kept as refs/takopi/kept/2; to have it again: git checkout" in words
        assert world.workspaces.reverts == [(Path("/src/zed"), "s1")]
        world.workspaces.since = {"s1": Changes()}
        assert "Nothing is changed in zed" in await press(world, agreed)


async def test_a_place_is_put_back_to_its_last_commit() -> None:
    async with projects(PlaceRecord(key="memory:1", project="zed", branch="dev")) as world:
        world.workspaces.made = [DEV]
        world.workspaces.uncommitted = world.workspaces.on_branch = ONE
        await says(world, "/diff")
        assert "To the last commit" in await press(world, buttons(world)["Revert"])
        await press(world, buttons(world)["Put 1 file back"])
        assert world.workspaces.reverts == [(Path("/src/zed/.worktrees/dev"), None)]
        assert "Nothing" in await press(
            world, press_data("diff", "r", "b", "zed", branch_mark("dev")), on=99
        )


async def test_nothing_is_changed_while_a_turn_runs_there() -> None:
    """In another tree it is."""
    async with projects(HERE) as world:
        world.workspaces.made = [DEV]
        world.workspaces.uncommitted = ONE
        world.claude.default = gated(anyio.Event())
        await asked(world, text="work on it")
        for words in (
            await says(world, "/diff commit now"),
            await press(world, press_data("diff", "r", "b", "zed", "-")),
            await press(world, press_data("diff", "c", "b", "zed", "-")),
        ):
            assert "because a turn works there: claude" in words
        assert world.workspaces.commits == []
        key = ("b", "zed", branch_mark("dev"))
        assert "Commit in zed @dev?" in await press(world, press_data("diff", "c", *key))


async def test_a_turn_that_is_to_start_waits_until_it_is_done() -> None:
    """And two commits of one tree wait for each other."""
    async with projects(HERE) as world:
        ready, at_once, most = anyio.Event(), [], []

        async def slowly(name: str) -> None:
            if name == "commit":
                at_once.append(name)
                most.append(len(at_once))
                await ready.wait()
                at_once.pop()

        world.workspaces.slowly = slowly
        world.workspaces.uncommitted = ONE
        world.chat.write("/diff commit one")
        world.chat.write("/diff commit two")
        await settle()
        world.chat.write("go on")
        await settle()
        assert runs(world) == []
        ready.set()
        await world.clock.advance(5)
        assert [prompt for _, _, prompt in runs(world)] == ["go on"]
        assert most == [1] or most == [1, 1]


async def test_forged_buttons_show_and_change_nothing() -> None:
    """Those of another chat's turn above all."""
    async with projects() as world:
        await asked(world)
        world.workspaces.uncommitted = ONE
        for key in (("t", "t1"), ("t", "nobody"), ("b", "zed", "0"), ("q",), ()):
            for verb in "cCrR":
                world.chat.press(press_data("diff", verb, *key), chat=-7)
        world.chat.press("x:diff", chat=-7)
        await world.clock.advance(120)
        assert all("a.py" not in text for text in world.chat.texts(-7))
        assert world.workspaces.commits == world.workspaces.reverts == []
        assert (await world.store.load()).updates == ()


async def test_without_a_repository_it_says_so() -> None:
    async with serving() as world:
        assert "work in a project" in await says(world, "/diff")
        assert "work in a project" in await press(world, press_data("diff", "c", "w"))
