"""What the bot does beside its work: end what was left over, forget what nobody needs."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from takopi.app.disks import Disks
from takopi.app.home import Home
from takopi.bridge.border import border
from takopi.bridge.ports import Clock
from takopi.core.run_keeping import Keeping
from takopi.core.turn_state import ENDS
from takopi.errors import NotARepository, UsageError
from takopi.process.host import LocalRunHost
from takopi.process.housekeeping import delete_old_runs
from takopi.process.sweep import sweep
from takopi.store.reading import JournalReading, open_reading
from takopi.store.sqlite_store import SqliteStore
from takopi.worktrees.kept_states import forget_kept_states

__all__ = ["Upkeep"]

_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Keep takopi's folder tidy.

    Args:
        home: takopi's folder.
        store: The journal.
        host: Owns the run directories.
        clock: Tells the time.
        keeping: How much of old runs is kept.
        directories: Of the projects, in which states of files may be kept.
    """

    home: Home
    store: SqliteStore
    host: LocalRunHost
    clock: Clock
    keeping: Keeping
    directories: tuple[Path, ...] = ()

    async def run(self) -> None:
        """Sweep once, then tidy up every hour, until cancelled."""
        with border("ending what earlier runs left"):
            await self._sweep()
        while True:
            await self.tidy()
            await self.clock.sleep_until(self.clock.now() + _EVERY_S)

    async def tidy(self) -> None:
        """Delete old run directories, then forget what the journal does not need."""
        now = self.clock.wall()
        # First what frees the disk: on a full one the journal cannot even forget.
        with border("deleting old runs"):
            needed = {turn.run_id for turn in (await self.store.load()).turns}
            await delete_old_runs(self.host, self.keeping, needed.__contains__, now)
        with border("forgetting what is old"):
            await self.store.prune(now)
        disks = Disks()
        for directory in self.directories:
            with border("forgetting kept states", directory=str(directory)):
                # Each alone: a project may be gone, be none of git, or lie on a dead disk.
                if await disks.has(directory):
                    with suppress(NotARepository):
                        await forget_kept_states(directory, now)

    async def _sweep(self) -> None:
        # Not in a thread: what SQLite opens can be used where it was opened alone.
        reading = open_reading(self.home.journal)
        if reading is None:
            return
        with reading:
            await sweep(
                self.host, lambda run_id: _is_final(reading, run_id), healthy=not self.store.fresh
            )


def _is_final(reading: JournalReading, run_id: str) -> bool:
    try:
        return reading.turn(run_id).state in ENDS
    except UsageError:  # the journal does not know it: a terminal's
        return False
