"""Whose turn it is in a working tree: no engine starts while a command changes the files there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

__all__ = ["TreeGate"]


class TreeGate:
    """Let commands have a working tree to themselves, one after the other."""

    def __init__(self) -> None:
        self._locks: dict[Path, anyio.Lock] = {}

    @asynccontextmanager
    async def hold(self, tree: Path) -> AsyncIterator[None]:
        """Keep turns from starting in a tree; whoever holds it looks then which ones run there.

        Args:
            tree: What `Workspaces.tree_of` names.
        """
        async with self._locks.setdefault(tree, anyio.Lock()):
            yield

    def is_held(self, tree: Path) -> bool:
        """Tell whether a turn has to wait.

        A turn says where it works and asks this without a pause between the two, so that either it
        sees the command, or the command sees it.
        """
        lock = self._locks.get(tree)
        return lock is not None and lock.locked()

    async def wait(self, tree: Path) -> None:
        """Wait until those that were there before are ready."""
        async with self.hold(tree):
            pass
