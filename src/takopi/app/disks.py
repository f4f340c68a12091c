"""Ask whether a directory is there, without waiting for a disk that is gone."""

from collections.abc import Callable
from math import inf
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from takopi.errors import WorkDirSilent

__all__ = ["Disks"]

_PATIENCE_S = 10.0


class Disks:
    """Look at directories, each in a thread of its own that may hang there for ever.

    Threads that hang are kept apart from those that serve everything else, and a directory that
    hangs is not asked again before it answered.

    Args:
        is_there: Looks, and may hang.
        patience_s: Seconds after which a directory counts as silent.
    """

    def __init__(
        self, is_there: Callable[[Path], bool] = Path.is_dir, patience_s: float = _PATIENCE_S
    ) -> None:
        self._is_there = is_there
        self._patience_s = patience_s
        self._threads = anyio.CapacityLimiter(inf)
        self._silent: set[Path] = set()

    async def has(self, path: Path) -> bool:
        """Tell whether a directory is there.

        Raises:
            WorkDirSilent: Nobody can tell now.
        """
        if path in self._silent:
            raise WorkDirSilent(path)
        with anyio.move_on_after(self._patience_s):
            return await run_sync(self._look, path, abandon_on_cancel=True, limiter=self._threads)
        self._silent.add(path)
        raise WorkDirSilent(path)

    def _look(self, path: Path) -> bool:
        try:
            return self._is_there(path)
        finally:
            self._silent.discard(path)
