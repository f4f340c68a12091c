"""/worktrees lists, opens and removes; nothing is lost and no turn is disturbed."""

from pathlib import Path

import anyio
import pytest

from bridge.test_contexts import projects, runs
from bridge.test_ctx_command import buttons, says
from bridge.world import World
from fakes.clock import settle
from fakes.scripted_engine import gated
from takopi.core.commands import press_data
from takopi.core.places import PlaceRecord
from takopi.core.tree_replies import branch_mark
from takopi.core.working_trees import Kept, Losses, Worktree
from takopi.errors import GitRefused

pytestmark = pytest.mark.anyio

NOW = 1_700_001_000
MAIN = Worktree("main", Path("/src/zed"), main=True, last_commit_s=NOW - 3 * 86_400)
DEV = Worktree(
    "dev", Path("/src/zed/.worktrees/dev"), dirty=2, ahead=1, behind=3, last_commit_s=NOW - 7300
)
LONG = Worktree("feat/" + "x" * 150, Path("/src/zed/.worktrees/long"), last_commit_s=NOW - 61)
BROKEN = Worktree("broken", Path("/elsewhere"), dirty=None, locked=True)
GONE = Worktree(None, Path("/gone"), missing=True)
HERE = PlaceRecord(key="memory:1", project="zed")
KEPT = Kept("1 file is in no commit", Losses(untracked=1, commits=2, files=("notes.txt",)))


async def press(world: World, data: str, **more) -> str:
    """Press a button, and return the last message."""
    world.chat.press(data, **more)
    await world.clock.advance(5)
    return world.chat.texts(more.get("chat", 1))[-1]


async def test_the_list_says_what_each_has_and_what_works_there() -> None:
    async with projects(HERE) as world:
        world.workspaces.made = [MAIN, DEV, LONG, BROKEN, GONE]
        world.claude.default = gated(anyio.Event())
        world.chat.write("@dev mend it")
        await world.clock.advance(3)
        lines = (await says(world, "/worktrees")).splitlines()
        assert lines[0] == "Worktrees of zed"
        assert lines[1] == "@main – the project's own folder · clean · last commit 3 days ago"
        assert lines[2].startswith("@dev – 2 files changed · 1 ahead · 3 behind · last commit 2 h")
        assert lines[2].endswith("claude · 3s · mend it")
        assert "…" in lines[3]
        assert lines[4] == "@broken – git does not tell what was changed · locked"
        assert lines[5] == "(no branch) – its folder is gone"
        assert [label.split(" ")[0] for label in buttons(world)] == [
            *("Open", "Open", "Remove", "Open", "Remove", "Open"),
        ]  # fmt: skip


async def test_which_project_is_meant() -> None:
    """The one that is named, that of the replied-to turn, else the one that holds."""
    async with projects() as world:
        world.workspaces.made = [MAIN]
        assert "No project holds here" in await says(world, "/worktrees")
        assert "Worktrees of zed" in await press(world, buttons(world)["/zed"])
        assert "Worktrees of api" in await says(world, "/worktrees /api")
        assert "No project is called" in await says(world, "/worktrees nobody")
        prompt = world.chat.write("/zed one")
        await settle()
        assert "of zed" in await says(world, "/worktrees", reply_to=prompt.message_id)


async def test_removing_what_nobody_can_mean_is_answered_with_how_it_could_be_meant() -> None:
    """With the project that is missing, and the branch that is nearest."""
    async with projects() as world:
        world.workspaces.made = [MAIN, DEV]
        words = await says(world, "/worktrees remove @dve")
        assert "Name one, as in /worktrees remove zed @dve." in words
        words = await says(world, "/worktrees remove zed @dve")
        assert words == (
            "@dve has no worktree in zed. Did you mean this one? /worktrees remove zed @dev "
            "/worktrees zed lists those there are."
        )
        words = await says(world, "/worktrees remove zed @other/thing")
        assert words == (
            "@other/thing has no worktree in zed. /worktrees zed lists those there are."
        )


@pytest.mark.parametrize("text", ["remove", "remove dev", "a b", "@dev", "remove @a @b"])
async def test_misuse_is_answered_with_an_example(text) -> None:
    async with projects(HERE) as world:
        assert "/worktrees remove @branch" in await says(world, f"/worktrees {text}")
        assert len(world.chat.texts()) == 1


async def test_a_hostile_branch_never_reaches_git() -> None:
    async with projects(HERE) as world:
        assert "is no branch" in await says(world, "/worktrees remove @--force")
        assert world.workspaces.asked == []


async def test_open_binds_the_place_to_the_branch() -> None:
    """The project's own folder needs none; a branch that is gone binds nothing."""
    async with projects(HERE) as world:
        world.workspaces.made = [MAIN, DEV]
        await says(world, "/worktrees")
        found = buttons(world)
        assert "run in ctx: zed @dev" in await press(world, found["Open @dev"])
        world.chat.write("one")
        await settle()
        assert runs(world) == [("claude", "/src/zed/.worktrees/dev", "one")]
        assert "run in ctx: zed from" in await press(world, found["Open @main"])
        world.workspaces.made = [MAIN]
        assert "There is no such worktree" in await press(world, found["Open @dev"])


async def test_a_clean_one_is_removed_at_once_and_its_place_told() -> None:
    bound = PlaceRecord(key="memory:1", project="zed", branch="dev")
    async with projects(bound) as world:
        world.workspaces.made = [MAIN, DEV]
        words = await says(world, "/worktrees remove @dev")
        assert "@dev is gone; its branch stays" in words
        assert "This place is still bound to it" in words
        assert world.workspaces.removed == [("dev", False)]
        assert "@dev has no worktree in zed." in await says(world, "/worktrees remove @dev")


async def test_what_would_be_lost_is_named_and_asked_about() -> None:
    """The button removes what was told, and nothing else; pressing it again does nothing more."""
    async with projects(HERE) as world:
        world.workspaces.made = [MAIN, DEV]
        world.workspaces.loses = {"dev": KEPT}
        await says(world, "/worktrees")
        remove = buttons(world)["Remove @dev"]
        world.chat.press(remove)
        words = await press(world, remove)
        assert words.startswith("Remove the worktree of zed @dev?\n1 file is in no commit.\nnotes")
        await press(world, remove)
        assert sum("Remove the worktree" in text for text in world.chat.texts()) == 1
        assert "The commits stay with the branch" in words
        stale = buttons(world)["Remove all the same"]
        more = Losses(untracked=2, files=("notes.txt", "new.txt"))
        world.workspaces.loses = {"dev": Kept("2 files are in no commit", more)}
        assert "2 files are in no commit" in await press(world, stale)
        assert world.workspaces.removed == []
        words = await press(world, buttons(world)["Remove all the same"])
        assert "is kept as" in words or "are kept as refs/takopi/kept/1" in words
        assert world.workspaces.removed == [("dev", True)]
        await press(world, stale)
        assert world.workspaces.removed == [("dev", True)]


@pytest.mark.parametrize("waits", [False, True])
async def test_one_in_which_a_turn_runs_or_waits_stays(waits) -> None:
    """Also when the person agreed before the turn began."""
    async with projects(HERE) as world:
        world.workspaces.made = [MAIN, DEV]
        world.workspaces.loses = {"dev": KEPT}
        await says(world, "/worktrees remove @dev")
        agreed = buttons(world)["Remove all the same"]
        world.claude.default = world.codex.default = gated(anyio.Event())
        for number in range(8 if waits else 0):  # as many as may run at once
            world.chat.write(f"/api /codex {number}")
        world.chat.write("@dev mend it")
        await settle()
        world.chat.write("/worktrees remove @dev")
        world.chat.press(agreed)
        await world.clock.advance(60)
        told = [t for t in world.chat.texts() if "because a turn works there: claude" in t]
        assert len(told) == 2
        assert world.workspaces.removed == []


async def test_what_git_refuses_is_told() -> None:
    async with projects(HERE) as world:

        async def refuses(_: str) -> None:
            raise GitRefused("/src/zed is in no git repository; make one with `git init`.")

        world.workspaces.slowly = refuses
        assert "make one with" in await says(world, "/worktrees")
        assert (await world.store.load()).updates == ()


async def test_a_git_that_hangs_holds_nobody() -> None:
    async with projects(HERE) as world:
        world.workspaces.slowly = lambda _: anyio.sleep_forever()
        world.chat.write("/worktrees")
        await settle()
        assert "Nothing runs" in await says(world, "/status")


async def test_forged_buttons_do_nothing() -> None:
    async with projects(HERE) as world:
        world.workspaces.made = [MAIN, DEV]
        mark = branch_mark("dev")
        for data in (
            press_data("worktrees", "z", "zed", mark),
            press_data("worktrees", "o", "nobody", mark),
            press_data("worktrees", "f", "zed", mark, "0"),
            "x:worktrees",
        ):
            world.workspaces.loses = {"dev": KEPT}
            world.chat.press(data)
            await world.clock.advance(5)
        assert world.workspaces.removed == []
        assert (await world.store.load()).updates == ()
