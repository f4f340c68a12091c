"""One random hour: people, engines, a chat service, and a bot that dies again and again."""

import asyncio
import functools
import random
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from simulation.engines import Processes, SimDirectory, SimHost
from simulation.ledger import Disk, Ledger, SimStore
from simulation.life import Dead, Life, LifeClock
from simulation.people import ACCESS, People
from simulation.telegram import Service, SimTransport, Weather
from takopi.bridge.bridge import Bridge, BridgeOptions, BridgePorts
from takopi.bridge.memory_store import MemoryStore
from takopi.runner_runtime import RunnerRuntime, bind_runtime
from takopi.store.opening import JournalOptions, open_journal
from takopi.store.sqlite_store import SqliteStore
from takopi.store.worker import inline

if TYPE_CHECKING:
    from takopi.bridge.ports import Store

__all__ = ["HOUR_S", "Plan", "World"]

HOUR_S = 3600.0
# Where a file that is synced costs nothing.
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


@dataclass(frozen=True)
class Plan:
    """Say what an hour is made of.

    Args:
        seed: Decides everything else.
        acts: What people do in the hour.
        disasters: How often the bot dies, is stopped, or the wall clock jumps.
        faults: Whether calls fail.
        on_disk: Whether the journal is a file, which each life opens anew.
    """

    seed: int
    acts: int = 110
    disasters: int = 6
    faults: bool = True
    on_disk: bool = False


class World:
    """Hold all that there is in one hour.

    Args:
        plan: What it is made of.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = random.Random(plan.seed)
        self.loop = asyncio.get_running_loop()
        self.epoch = 1_700_000_000.0
        self.start = self.loop.time()
        self.weather = Weather()
        self.service = Service(random.Random(f"{plan.seed} service"), self.weather)
        self.processes = Processes(random.Random(f"{plan.seed} engines"))
        self.people = People(self.service, random.Random(f"{plan.seed} people"), self.wall)
        self.ledger = Ledger(ACCESS)
        self.disk = Disk()
        self.faults: list[str] = []
        self.lives: list[Life] = []
        self.journal: Store = MemoryStore()
        self._engines = SimDirectory()
        self._folder = tempfile.TemporaryDirectory(prefix="hour", dir=_MEMORY)
        self._bindings = ExitStack()
        self._ids = 0
        self._bridge: Bridge | None = None
        self._over = asyncio.Event()
        self._known_tasks: set[asyncio.Task[Any]] = set()
        self._choice = {
            "max_runs": self.rng.choice((2, 4, 8)),
            "backlog": self.rng.choice(("answer", "answer", "ask", "drop")),
        }
        self.processes.max_runs = self._choice["max_runs"]
        self.stops: list[float] = []
        """When the bot was told to end its turns with itself."""

    def wall(self) -> float:
        return self.epoch + self.loop.time()

    async def run(self) -> None:
        """Live through the hour and the quiet after it."""
        self._make_weather()
        for _ in range(self.plan.acts):
            self.loop.call_later(self.rng.uniform(0, HOUR_S), self.people.act)
        async with anyio.create_task_group() as group:
            self._known_tasks = set(asyncio.all_tasks())
            await self._disasters(group)
            await self._quiet(group)
            await self._stop(detach=False)

    @property
    def folder(self) -> str:
        """Name the folder for all that this hour has in files."""
        return self._folder.name

    # Lives.

    async def aclose(self) -> None:
        """Let go of the journal, and of the hosts that turns were to run on."""
        self._bindings.close()
        if isinstance(self.journal, SqliteStore):
            await self.journal.close()
        self._folder.cleanup()

    async def _open_journal(self) -> None:
        if not self.plan.on_disk:
            return
        if isinstance(self.journal, SqliteStore):
            await self.journal.close()
        self.journal = open_journal(
            Path(self._folder.name) / "takopi.db",
            rebuild=list,
            now=self.wall(),
            options=JournalOptions(offload=inline, reserve_bytes=4096),
        )

    def _new_id(self) -> str:
        self._ids += 1
        return f"t{self._ids}"

    def _new_run_id(self) -> str:
        self._ids += 1
        return f"run{self._ids}"

    async def _begin(self, group: anyio.abc.TaskGroup) -> Life:
        life = Life(len(self.lives) + 1, random.Random(f"{self.plan.seed} life {len(self.lives)}"))
        self.lives.append(life)
        await self._open_journal()
        host = SimHost(self.processes, life)
        self._bindings.enter_context(bind_runtime(RunnerRuntime(host)))
        ports = BridgePorts(
            SimTransport(self.service, life, ACCESS.chat_ids),
            SimStore(self.journal, life, self.ledger, self.disk),
            LifeClock(life, self.wall),
            self._engines,
            host,
        )
        options: dict[str, Any] = {
            "access": ACCESS,
            "default_engine": "alpha",
            "work_dir": Path("/"),
            "new_id": self._new_id,
            "new_run_id": self._new_run_id,
            "version": "9.9",
            **self._choice,
        }
        self._bridge = Bridge(ports, BridgeOptions(**options))
        self._over = asyncio.Event()
        group.start_soon(self._live, life, self._bridge, self._over)
        return life

    async def _live(self, life: Life, bridge: Bridge, over: asyncio.Event) -> None:
        try:
            with life.scope:
                await bridge.run()
        except (Dead, BaseExceptionGroup) as error:
            if not life.dead:
                self.faults.append(f"the bridge ended with {error!r}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the hour tells of it
            if not life.dead:
                self.faults.append(f"the bridge ended with {error!r}")
        finally:
            life.dead = True
            over.set()

    async def _ended(self, why: str) -> None:
        """Wait until a life is over and nothing of it is left."""
        limit = self.loop.time() + 600
        with anyio.CancelScope(deadline=limit) as scope:
            await self._over.wait()
        if scope.cancelled_caught:
            self.faults.append(f"a life that {why} did not end within ten minutes")
        await asyncio.sleep(0.001)
        left = [task for task in asyncio.all_tasks() if task not in self._known_tasks]
        if left:
            names = ", ".join(sorted(task.get_name() for task in left))
            self.faults.append(f"a life that {why} left tasks behind: {names}")
        self._bridge = None

    async def _stop(self, *, detach: bool) -> None:
        assert self._bridge is not None
        if not detach:
            self.stops.append(self.loop.time())
        self._bridge.stop(detach=detach)
        began = self.loop.time()
        await self._ended("was stopped")
        if self.loop.time() - began > 11:
            self.faults.append(f"stopping took {self.loop.time() - began:.1f} s")

    # Disasters.

    def _make_weather(self) -> None:
        rng, weather = self.rng, self.weather
        if not self.plan.faults or rng.random() < 0.2:
            return
        weather.five_xx = rng.choice((0.0, 0.02, 0.1))
        weather.flood = rng.choice((0.0, 0.01, 0.05))
        weather.hang = rng.choice((0.0, 0.005, 0.02))
        weather.hang_after = rng.choice((0.0, 0.005, 0.02))
        weather.refuses_format = rng.choice((0.0, 0.0, 0.02))
        for spans, lengths in ((self.disk.full, (60, 900)), (self.disk.held, (1, 8, 40))):
            for _ in range(rng.choice((0, 0, 1))):
                at = self.start + rng.uniform(0, HOUR_S)
                spans.append((at, at + rng.choice(lengths)))
        if rng.random() < 0.1:
            lost = functools.partial(self.service.lost_chats.add, -10)
            self.loop.call_later(rng.uniform(0, HOUR_S), lost)
        for _ in range(rng.choice((0, 0, 1, 2))):
            at = self.start + rng.uniform(0, HOUR_S)
            weather.outages.append((at, at + rng.choice((5.0, 60.0, 900.0, 3600.0))))

    async def _disasters(self, group: anyio.abc.TaskGroup) -> None:
        rng = self.rng
        moments = sorted(rng.uniform(20, HOUR_S) for _ in range(self.plan.disasters))
        life = await self._begin(group)
        for moment in moments:
            await self._until(self.start + moment)
            kind = rng.choices(("die", "die busy", "detach", "cancel", "jump"), (3, 6, 2, 1, 1))[0]
            if kind == "jump":
                self.epoch += rng.choice((-7200, -60, 30, 3600, 86_400))
                continue
            if kind == "detach" or kind == "cancel":
                await self._stop(detach=kind == "detach")
            else:
                if kind == "die busy":
                    life.die_at_step = life.steps + rng.randrange(1, 120)
                    with anyio.move_on_after(rng.uniform(1, 120)):
                        await self._over.wait()
                life.die()
                await self._ended("died")
            await asyncio.sleep(rng.choice((0.1, 1, 3, 20, 120)))
            life = await self._begin(group)
        await self._until(self.start + HOUR_S)

    async def _until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - self.loop.time()))

    async def _quiet(self, group: anyio.abc.TaskGroup) -> None:
        """Mend everything, and wait until nothing is left to do."""
        self.weather.heal()
        self.disk.heal()
        self.processes.calm = True
        if self._bridge is None or self.lives[-1].dead:
            await self._begin(group)
        await asyncio.sleep(100)
        for _ in range(40):
            self.people.cancel_all()
            await asyncio.sleep(90)
            if not await self.left_over():
                break
        else:
            self.faults.append(f"an hour later there is left: {(await self.left_over())[:6]}")
        await asyncio.sleep(90)

    async def left_over(self) -> list[str]:
        """Name what is still to be done."""
        state = await self.journal.load()
        now = self.loop.time()
        # A chat that put the bot out can end nothing any more; `takopi stop` can.
        lost = [turn for turn in state.turns if turn.scope.chat_id in self.service.lost_chats]
        excused = {turn.run_id for turn in lost}
        return [
            *(f"turn {turn.turn_id} is {turn.state}" for turn in state.turns if turn not in lost),
            *(f"letter {letter.letter_id} of {letter.turn_id}" for letter in state.letters),
            *(f"update {accepted.id}" for accepted in state.updates),
            *(f"queued {update.update_id}" for update in self.service.queue),
            *(
                f"process {p.run_id}"
                for p in self.processes.all.values()
                if p.alive(now) and p.run_id not in excused
            ),
        ]
