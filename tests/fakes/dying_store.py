"""A journal that dies with its world, at whichever commit a test wants."""

from collections.abc import Sequence

from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import Change
from takopi.errors import StoreError

__all__ = ["DyingStore"]


class DyingStore(MemoryStore):
    """Make so many commits; from then on the world is gone, before or behind the next one."""

    left = 10_000
    behind = False

    @property
    def dead(self) -> bool:
        """Tell whether the world is gone."""
        return self.left < 0

    async def commit(self, changes: Sequence[Change]) -> None:
        self.left -= 1
        if not self.dead or (self.behind and self.left == -1):
            await super().commit(changes)
        if self.dead:
            raise StoreError("the world is gone")
