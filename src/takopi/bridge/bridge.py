"""The bridge: a chat on one side, engines on the other, until somebody says stop.

Everything runs in one task group: the outbox's pump, the turns, the slow answers, and the loop
over the updates. `stop` ends them in order: no more updates, cancel the turns, tell about each,
let the finals out, within `stop_within_s`; a second `stop` ends everything where it stands.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from takopi import __version__
from takopi.bridge.acceptance import Acceptance
from takopi.bridge.border import border
from takopi.bridge.desk import menu
from takopi.bridge.dispatcher import Dispatcher, DispatcherOptions, DispatcherPorts
from takopi.bridge.offer_desk import WhoDecides
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import Clock, EngineDirectory, RunHost, Store, Transport
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.turn_journal import TurnJournal
from takopi.bridge.turn_messages import FinalOptions, TurnMessages
from takopi.bridge.turn_start import DriverPorts, TurnOptions
from takopi.bridge.waiting import plain_errors, wait_until
from takopi.core.access import AccessPolicy
from takopi.core.backlog import Backlog
from takopi.core.outbox_budget import OutboxLimits
from takopi.core.watchdog import StallLimits
from takopi.errors import FloodLimited, TransportUnavailable
from takopi.logging import get_logger
from takopi.model import EngineId

__all__ = ["Bridge", "BridgeOptions", "BridgePorts"]

_log = get_logger(__name__)

_STOP_REASON = "takopi is stopping"
_MENU_TRIES = 5
_WARM_UP_AFTER_S = 0.05


def _new_id() -> str:
    return secrets.token_hex(6)


def _new_run_id() -> str:
    # They sort by time.
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class BridgePorts:
    """Bind the world.

    Args:
        transport: The chat service.
        store: Remembers what messages belong to.
        clock: Tells the time.
        engines: Knows the engines.
        host: Knows where sessions live.
    """

    transport: Transport
    store: Store
    clock: Clock
    engines: EngineDirectory
    host: RunHost


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeOptions:
    """Say how the bridge behaves.

    Args:
        access: Who is served.
        default_engine: Runs what names no engine and no session.
        work_dir: Absolute directory in which new sessions start.
        show_resume_line: Whether finals end with the line that resumes the session.
        final_notify: Whether a final is a new message that makes a sound.
        message_overflow: What becomes of an answer that one message cannot hold.
        max_runs: At most so many engines run at once.
        limits: Budgets of the chat service.
        stop_within_s: Seconds that `stop` may take; leaving needs the rest of ten.
        version: Of takopi, for `/status`.
        new_id: Makes ids of turns; at most 50 characters of `[A-Za-z0-9_-]`.
        new_run_id: Makes names of run directories, as `run_host.is_run_id` wants them.
        stall: How long an engine may be silent.
        backlog: What becomes of prompts that were sent while takopi was away.
        decide: Who may press a button that decides something.
    """

    access: AccessPolicy
    default_engine: EngineId
    work_dir: Path
    show_resume_line: bool = True
    final_notify: bool = True
    message_overflow: Literal["split", "trim", "file"] = "split"
    max_runs: int = 8
    limits: OutboxLimits = field(default_factory=OutboxLimits)
    stop_within_s: float = 8.5
    version: str = __version__
    new_id: Callable[[], str] = _new_id
    new_run_id: Callable[[], str] = _new_run_id
    stall: StallLimits = field(default_factory=StallLimits)
    backlog: Backlog = "answer"
    decide: WhoDecides = "asker"


class Bridge:
    """Serve one chat service.

    Args:
        ports: The world.
        options: The behaviour.
    """

    def __init__(self, ports: BridgePorts, options: BridgeOptions) -> None:
        self._ports = ports
        self._options = options
        self._stopping = anyio.Event()
        self._killed = anyio.Event()

    def stop(self) -> None:
        """End in order; called again, end at once. Call it from the event loop's thread."""
        if self._stopping.is_set():
            self._killed.set()
        self._stopping.set()

    async def run(self) -> None:
        """Serve until `stop`, or until the updates end and every turn is over.

        Raises:
            Unauthorized: The service does not know the bot any more.
        """
        with plain_errors():
            async with anyio.create_task_group() as group:
                group.start_soon(self._kill_when_asked, group.cancel_scope)
                await self._serve(group)
                group.cancel_scope.cancel()

    async def _serve(self, group: TaskGroup) -> None:
        ports, options = self._ports, self._options
        outbox = Outbox(ports.transport, ports.store, ports.clock, options.limits)
        messages = TurnMessages(
            outbox,
            ports.clock,
            FinalOptions(
                notify=options.final_notify,
                overflow=options.message_overflow,
                show_resume_line=options.show_resume_line,
            ),
        )
        driver_ports = DriverPorts(
            ports.engines,
            ports.host,
            TurnJournal(ports.store),
            ports.clock,
            messages,
            TurnOptions(
                work_dir=options.work_dir, new_run_id=options.new_run_id, limits=options.stall
            ),
        )
        scheduler = Scheduler(driver_ports, group, options.max_runs)
        dispatcher = Dispatcher(
            DispatcherPorts(
                ports.transport, ports.store, ports.engines, outbox, scheduler, ports.clock
            ),
            DispatcherOptions(
                access=options.access,
                default_engine=options.default_engine,
                new_id=options.new_id,
                version=options.version,
                backlog=options.backlog,
                decide=options.decide,
            ),
            group,
        )
        acceptance = Acceptance(ports.store, ports.clock, outbox)
        group.start_soon(outbox.run)
        group.start_soon(self._publish_menu)
        await self._until_stopping(partial(self._take_updates, acceptance, dispatcher))
        await self._until_stopping(scheduler.wait_idle)
        await self._wind_down(scheduler, outbox)

    async def _until_stopping(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something until it is done or somebody says stop."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._leave_when_stopping, group.cancel_scope)
            await work()
            group.cancel_scope.cancel()

    async def _take_updates(self, acceptance: Acceptance, dispatcher: Dispatcher) -> None:
        transport, access = self._ports.transport, self._options.access
        async with anyio.create_task_group() as group:
            group.start_soon(self._warm_up, dispatcher)
            async for batch in transport.updates():
                await dispatcher.take(
                    await acceptance.take(access, batch, transport.newest_update)
                )
            group.cancel_scope.cancel()

    async def _warm_up(self, dispatcher: Dispatcher) -> None:
        # The first poll goes out before: being there comes before being quick.
        clock = self._ports.clock
        await clock.sleep_until(clock.now() + _WARM_UP_AFTER_S)
        for engine in self._ports.engines.ids():
            await checkpoint()
            dispatcher.load(engine)

    async def _wind_down(self, scheduler: Scheduler, outbox: Outbox) -> None:
        """Cancel what runs or waits, tell about it, and let out what was said."""
        clock, within_s = self._ports.clock, self._options.stop_within_s
        deadline = clock.now() + within_s
        turns = scheduler.turns()
        # The waiting ones first: else the end of a running one would start the next.
        for turn in sorted(turns, key=lambda turn: turn.started_at is not None):
            scheduler.cancel(turn.id, _STOP_REASON)
        if not await wait_until(scheduler.wait_idle, clock, deadline - within_s * 0.4):
            scheduler.drop_stubborn()
            await wait_until(scheduler.wait_idle, clock, deadline)
        if not await outbox.drain(deadline):
            _log.warning("stop.not_all_sent")

    async def _leave_when_stopping(self, scope: anyio.CancelScope) -> None:
        await self._stopping.wait()
        scope.cancel()

    async def _kill_when_asked(self, scope: anyio.CancelScope) -> None:
        await self._killed.wait()
        scope.cancel()

    async def _publish_menu(self) -> None:
        commands = menu(self._ports.engines, self._options.default_engine)
        clock = self._ports.clock
        for attempt in range(_MENU_TRIES):
            pause_s = 5.0 * 2**attempt
            with border("publishing the menu"):
                try:
                    await self._ports.transport.set_menu(commands)
                except FloodLimited as error:
                    pause_s = error.retry_after_s
                except TransportUnavailable:
                    pass
                else:
                    return
                await clock.sleep_until(clock.now() + pause_s)
                continue
            return
