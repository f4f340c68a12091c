"""The bot while it serves: connected, told by signals how to end, tidying up beside its work."""

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any

import anyio

from takopi.app.command_plugins import InstalledCommands
from takopi.app.config_watch import next_settings
from takopi.app.hearing import open_transcriber
from takopi.app.leaving import leave_alone, leave_now, tell_terminal, wish_of
from takopi.app.notify import ServiceNotifier, Signs, keep_alive, watchdog_period_s
from takopi.app.project_files import project_files
from takopi.app.public_import import Configured, take_over_public_state
from takopi.app.runtime import Runtime
from takopi.app.upkeep import Upkeep
from takopi.app.workspaces import ProjectWorkspaces
from takopi.bridge.bridge import Bridge, BridgeOptions, BridgePorts
from takopi.bridge.clock import SystemClock
from takopi.bridge.waiting import plain_errors
from takopi.core.run_keeping import Keeping
from takopi.core.stopping import StopWish, next_stop
from takopi.core.texts import tr
from takopi.errors import StoreError
from takopi.logging import get_logger
from takopi.settings import Settings
from takopi.store.sqlite_store import SqliteStore
from takopi.transports import ServedTransport
from takopi.worktrees.worktrees import Worktrees

__all__ = ["BotParts", "BotService"]

_log = get_logger(__name__)

_TAKEN_OVER_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Say of a configuration that was tried why it could not be served.

    Args:
        why: For the owner.
        document: What the file said.
    """

    why: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BotParts:
    """Hold what a bot is made of.

    Args:
        runtime: Folder, settings, engines, processes.
        transport: The chat service.
        store: The journal; closed by whoever opened it.
        options: The behaviour.
        check: Raises when a changed configuration cannot be served.
        account: Names whose messages the chat service hands out.
        with_files: Whether files come and go.
        refused: The configuration that was tried before this one; None when none was.
    """

    runtime: Runtime
    transport: ServedTransport
    store: SqliteStore
    options: BridgeOptions
    check: Callable[[Settings], None]
    account: str
    with_files: bool = True
    refused: Refusal | None = None


class BotService:
    """Serve once.

    Args:
        parts: What the bot is made of.
        since: When this process began to serve, unix seconds; None when it did not yet.
    """

    def __init__(self, parts: BotParts, since: float | None = None) -> None:
        runtime, store = parts.runtime, parts.store
        clock = SystemClock()
        settings = runtime.settings
        workspaces = ProjectWorkspaces(settings.projects, parts.options.work_dir, Worktrees())
        ports = BridgePorts(
            parts.transport,
            store,
            clock,
            runtime.shelf,
            runtime.host,
            workspaces,
            files=project_files(runtime.home, settings) if parts.with_files else None,
            transcriber=open_transcriber(settings),
            plugins=InstalledCommands(
                settings, runtime.shelf, always_answers=parts.transport.id == "terminal"
            ),
        )
        keeping = Keeping(settings.keep_runs_days, settings.keep_runs_gb)
        self._runtime = runtime
        self._transport = parts.transport
        self._store = store
        self._listening = anyio.Event()
        self._name = ""
        self._since = since
        self._signs = Signs(parts.transport, clock)
        options = with_changes(
            parts.options,
            on_listening=self._listens,
            on_refused=self._signs.refused,
            serving_since=since,
        )
        self._bridge = Bridge(ports, options)
        folders = (parts.options.work_dir, *(Path(one.path) for one in settings.projects.all))
        self._upkeep = Upkeep(
            runtime.home, store, runtime.host, clock, keeping, tuple(dict.fromkeys(folders))
        )
        self._connecting = anyio.CancelScope()
        self._notifier = ServiceNotifier()
        self._check = parts.check
        self._account = parts.account
        self._given_up = parts.refused
        if parts.refused is not None:
            self._tell_refused(parts.refused.why)
        self._under_way: StopWish | None = None
        self._next: Settings | None = None
        self._earlier: tuple[int, ...] = ()
        self._cancel_waits = anyio.Event()
        self._waited = since is None
        self.unheeded: list[int] = []
        """Signals that came while it was making room for the next configuration."""

    async def serve(self) -> Settings | None:
        """Connect and serve until a signal says stop, or the configuration was changed.

        Returns:
            The configuration to go on with; None when takopi is to end.

        Raises:
            Unauthorized: Telegram does not know the token.
        """
        with plain_errors():
            async with anyio.create_task_group() as tasks:
                if self._notifier.wanted:
                    tasks.start_soon(self._announce)
                tasks.start_soon(self._heed_soon)
                if self._runtime.settings.watch_config:
                    tasks.start_soon(self._watch_config)
                try:
                    await self._connect_and_serve()
                finally:
                    with anyio.CancelScope(shield=True):
                        await self._transport.aclose()
                tasks.cancel_scope.cancel()
        self._say_what_goes_on()
        return None if self._under_way else self._next

    async def _connect_and_serve(self) -> None:
        with self._connecting:
            self._name = await self._transport.open()
            # What was imported stays for good: no collection need look at it again.
            gc.freeze()
            tell_terminal(f"takopi serves {self._name} (Ctrl-C stops it)")
        if self._connecting.cancel_called:
            return
        await self._store.belong_to(self._account)
        await self._take_over()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._upkeep.run)
            await self._bridge.run()
            tasks.cancel_scope.cancel()

    async def _take_over(self) -> None:
        """Take over what the public takopi knew; a start that cannot goes on without it."""
        runtime, now = self._runtime, SystemClock().wall()
        settings, engines = runtime.settings, runtime.shelf.ids()
        configured = Configured(settings.projects, engines, settings.default_project)
        try:
            words = await take_over_public_state(runtime.home, self._store, configured, now)
        except (StoreError, OSError) as error:
            _log.error("public_state.not_taken", error=str(error))
        else:
            if words:
                self._bridge.tell_owner(words)

    async def _announce(self) -> None:
        """Tell the service manager that the bot is ready, and from then on that it lives."""
        await self._listening.wait()
        self._notifier.send("READY=1")
        period_s = watchdog_period_s(os.environ, os.getpid())
        signs = self._signs

        def working() -> str:
            waits = ", but the journal takes nothing, so messages wait" if signs.refusing else ""
            return f"serves {self._name}{waits}"

        await keep_alive(self._notifier, signs, SystemClock(), period_s, working)

    async def _watch_config(self) -> None:
        given_up = None if self._given_up is None else self._given_up.document
        settings = self._runtime.settings
        found = await next_settings(
            settings, self._check, self._tell_refused, SystemClock(), given_up=given_up
        )
        if self._under_way is not None or self._earlier:
            return  # a second stop would end at once what is ending in order
        self._next = found
        _log.info("config.taken")
        tell_terminal("takopi takes the changed configuration")
        self._connecting.cancel()
        # The next life goes on with what runs, so nobody need hear of the change of hands.
        self._bridge.stop(detach=True, quiet=True)

    def _tell_refused(self, why: str) -> None:
        self._bridge.tell_owner(
            tr("The configuration was changed and is not taken: {why}. The old one holds.", why=why)
        )

    @property
    def served(self) -> bool:
        """Tell whether it came as far as asking for messages."""
        return self._listening.is_set()

    @property
    def since(self) -> float | None:
        """Give the moment at which this process began to serve; None before that."""
        return self._since

    def _listens(self) -> None:
        if self._since is None:
            self._since = SystemClock().wall()
        self._listening.set()

    def heed_earlier(self, numbers: Sequence[int]) -> None:
        """Do what signals said that came when the life before this one was making room."""
        for number in numbers:
            self.stop(number)

    def _has_to_wait(self, wish: StopWish) -> bool:
        """Tell whether a signal comes while runs that it is to cancel are not taken over yet."""
        waits = not self._waited and not self.served
        return waits and wish == "cancel" and self._under_way is None

    async def _heed_soon(self) -> None:
        await self._cancel_waits.wait()
        with anyio.move_on_after(_TAKEN_OVER_WITHIN_S):
            await self._listening.wait()
        self._waited = True
        for number in self._earlier:
            self.stop(number)

    def stop(self, number: int) -> None:
        """Do what a signal says; call it from the event loop's thread."""
        if self._next is not None:
            self.unheeded.append(number)
            return
        wish = wish_of(number, self._runtime.settings.on_stop)
        if self._has_to_wait(wish):
            self._earlier += (number,)
            self._cancel_waits.set()
            return
        step = next_stop(self._under_way, wish)
        _log.info("bot.stopping", signal=number, step=step)
        if step == "leave":
            leave_alone()
        if step == "kill":
            host = self._runtime.host
            leave_now(marks=[host.mark(run_id) for run_id in self._bridge.run_ids()])
        self._under_way = wish
        self._notifier.send("STOPPING=1")
        self._connecting.cancel()
        if self._bridge.run_ids():
            does = "cancels what runs" if wish == "cancel" else "leaves what runs at work"
            tell_terminal(f"takopi stops, and {does} (again: at once)")
        self._bridge.stop(detach=wish == "detach")

    def _say_what_goes_on(self) -> None:
        left = self._bridge.run_ids()
        if self._under_way == "detach" and left:
            runs = "1 run goes" if len(left) == 1 else f"{len(left)} runs go"
            tell_terminal(
                f"takopi has stopped; {runs} on without it: `takopi ps` shows them, the next start "
                "delivers their answers, `takopi stop` ends them"
            )
