"""A death between what a command does and its mark: the second time it says what is true."""

import os
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from bridge.file_world import PDF, FileWorld
from bridge.test_contexts import projects
from bridge.test_ctx_command import buttons, says
from bridge.test_diff_command import HERE, ONE
from bridge.world import World
from fakes.clock import settle
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import Change, LetterPut, UpdateHandled
from takopi.core.chat import RepliedTo
from takopi.errors import StoreError, TransportUnavailable

pytestmark = pytest.mark.anyio


class Dying(MemoryStore):
    """Be gone from the answer to something on."""

    armed = False
    dead = False

    async def commit(self, changes: Sequence[Change]) -> None:
        marks = any(isinstance(change, UpdateHandled) for change in changes)
        answers = any(isinstance(change, LetterPut) for change in changes)
        self.dead = self.dead or (self.armed and marks and answers)
        if self.dead:
            raise StoreError("the world is gone")
        await super().commit(changes)


def die_with_the_answer(world: World, store: Dying) -> None:
    """Let the world end where the next command has had its effect."""
    store.armed = True
    gone = TransportUnavailable("the world is gone")
    world.chat.fault = lambda _call: gone if store.dead else None


def last(world: World) -> str:
    """Return what the chat shows last."""
    return world.chat.texts()[-1]


@pytest.mark.parametrize("command", ["/file put docs/a.pdf", "/file put docs/", "/file put"])
async def test_a_file_that_was_put_is_not_refused_or_put_twice(
    tmp_path: Path, command: str
) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    store = Dying()
    world = FileWorld(root, store)
    async with world.on():
        die_with_the_answer(world, store)
        await world.sends(command, files=(PDF,))
    assert store.dead
    (there,) = [path for path in root.rglob("*.pdf") if path.is_file()]
    store.armed = store.dead = False
    later = FileWorld(root, store)
    async with later.on():
        await later.clock.advance(5)
        assert last(later) == f"Saved as {there.relative_to(root)}"
    assert [path for path in root.rglob("*.pdf") if path.is_file()] == [there]


async def test_what_lay_there_before_is_refused_without_a_download(tmp_path: Path) -> None:
    """Also when it is the same; and something else of the same time is not taken for it."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "a.pdf").write_bytes(b"plan")
    (root / "b.pdf").write_bytes(b"other")
    (root / "folder.pdf").mkdir()
    os.utime(root / "a.pdf", (1, 1))
    world = FileWorld(root)
    async with world.on():
        reply = {"reply": RepliedTo(7, files=(PDF,))}
        assert "there already" in await world.says("/file put a.pdf", **reply) or last(world)
        assert world.fetches == []
        assert "already" in await world.says("/file put b.pdf", **reply)
        assert (root / "b.pdf").read_bytes() == b"other"


@pytest.mark.parametrize("by_button", [False, True])
async def test_a_commit_that_was_made_is_told_and_not_made_twice(by_button: bool) -> None:
    store = Dying()
    async with projects(HERE, store=store) as world:
        world.workspaces.uncommitted = ONE
        if by_button:
            world.chat.write("/zed fix it")
            await world.clock.advance(10)
            await says(world, "/diff")
            world.chat.press(buttons(world)["Commit"])
            await world.clock.advance(5)
            agreed = buttons(world)["Commit so"]
        die_with_the_answer(world, store)
        if by_button:
            world.chat.press(agreed)
        else:
            world.chat.write("/diff commit fix it")
        await world.clock.advance(5)
        commits = world.workspaces.commits
        assert store.dead
        assert [words for _, words in commits] == ["fix it"]
        now = world.clock.wall()
    store.armed = store.dead = False
    later = World(options=world.options, workspaces=world.workspaces, store=store)
    later.workspaces.committed_at = now
    async with anyio.create_task_group() as group:
        group.start_soon(later.bridge.run)
        await settle()
        await later.clock.advance(5)
        assert any("0123456" in text for text in later.chat.texts()), later.chat.texts()
        later.workspaces.uncommitted = ONE
        later.clock.epoch = now + 100
        later.chat._numbers = 500
        await says(later, "/diff commit fix it")
        assert len(commits) == 2
        group.cancel_scope.cancel()
