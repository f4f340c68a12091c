"""`takopi chat`: the same bridge with the terminal as its chat."""

import os
import signal
from collections.abc import Sequence
from functools import partial

import anyio

from takopi.app.command_plugins import InstalledCommands
from takopi.app.engines import EngineShelf, choose_default
from takopi.app.home import current_directory
from takopi.app.leaving import heed_signals, leave_now, stop_signals
from takopi.app.local_zone import local_zone
from takopi.app.resume_lines import names_session
from takopi.app.runtime import Runtime, open_runtime
from takopi.app.workspaces import ProjectWorkspaces
from takopi.bridge.bridge import Bridge, BridgeOptions, BridgePorts
from takopi.bridge.clock import SystemClock
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.waiting import plain_errors
from takopi.core.access import access_policy
from takopi.core.chat_settings import ChatSettings
from takopi.core.missing_engines import MissingEngine, missing_line
from takopi.errors import ConfigError
from takopi.locale_files import speak
from takopi.logging import configure_logging
from takopi.model import EngineId
from takopi.runner import Runner
from takopi.settings import Settings
from takopi.terminal.backend import TERMINAL_LIMITS
from takopi.terminal.chat_screen import begin_reading, make_chat_screen, someone_watches
from takopi.terminal.conversation import ABSENT, Beginnings
from takopi.terminal.screen import Screen
from takopi.terminal.transport import CHAT_ID, TerminalTransport
from takopi.worktrees.worktrees import Worktrees

__all__ = ["MOCK", "ChatEngines", "run_chat"]

MOCK: EngineId = "mock"


class ChatEngines:
    """Offer the engines of this machine, and the scripted one beside them.

    Args:
        shelf: The engines of this machine.
    """

    def __init__(self, shelf: EngineShelf) -> None:
        self._shelf = shelf
        self._mock: Runner | None = None

    def ids(self) -> Sequence[EngineId]:
        """List the engines."""
        return (*self._shelf.ids(), MOCK)

    def runner(self, engine: EngineId) -> Runner:
        """Return an engine's runner, the same one each time."""
        if engine != MOCK:
            return self._shelf.runner(engine)
        if self._mock is None:
            from takopi.runners.mock import MockRunner

            self._mock = MockRunner()
        return self._mock

    async def version(self, engine: EngineId) -> str | None:
        """Return what the engine's CLI says about its version."""
        return "scripted" if engine == MOCK else await self._shelf.version(engine)

    def missing(self, engine: EngineId) -> MissingEngine | None:
        """Say that an engine cannot run here, and what mends that; None when it can."""
        return None if engine == MOCK else self._shelf.missing(engine)


def run_chat(engine: str | None) -> int:
    """Chat on the process's own terminal or pipe; return the exit status.

    Args:
        engine: Goes before the configured default.

    Raises:
        TakopiError: It cannot begin.
    """
    with open_runtime() as runtime:
        speak(runtime.settings.language)
        configure_logging()
        default, remark = _default_engine(runtime, engine)
        anyio.run(_chat, runtime, default, remark)
    return 0


def _default_engine(runtime: Runtime, asked: str | None) -> tuple[EngineId, str]:
    """Choose who answers, and say what the person should know of that."""
    if asked == MOCK:
        return MOCK, ""
    try:
        engine = choose_default(runtime.shelf, runtime.settings, asked)
    except ConfigError:
        if runtime.settings.default_engine is not None:
            raise
    else:
        runtime.shelf.runner(engine)  # better told now than with the first prompt
        missing = runtime.shelf.missing(engine)
        return engine, missing_line([missing]) if missing is not None else ""
    return MOCK, (
        "takopi: no engine is installed here, so `mock` answers: a scripted engine that shows what "
        "a turn looks like. `takopi doctor` says how to install a real one."
    )


def _options(settings: Settings, default: EngineId) -> BridgeOptions:
    """Let what the configuration says of chats hold here too, but for what is another place's."""
    here = current_directory()
    # Prompts run where the person stands, with the branches of the project that this is.
    project = next((one.alias for one in settings.projects.all if one.path == here), None)
    return BridgeOptions(
        access=access_policy(chat_id=CHAT_ID),
        default_engine=default,
        work_dir=here,
        max_runs=settings.max_runs,
        limits=TERMINAL_LIMITS,
        chats=ChatSettings(
            projects=settings.projects,
            default_project=project,
            verbosity=settings.chat.verbose,
            zone=local_zone(os.environ),
            absent=tuple(word.removeprefix("/") for word in ABSENT),
            replies=False,
            begun_here=True,
        ),
    )


async def _chat(runtime: Runtime, default: EngineId, remark: str) -> None:
    live = someone_watches()
    engines, settings = ChatEngines(runtime.shelf), runtime.settings
    options = _options(settings, default)
    with make_chat_screen() as screen:
        named = partial(names_session, engines)
        beginnings = Beginnings(engines.ids(), settings.projects.aliases, named)
        transport = TerminalTransport(screen, beginnings, one_by_one=not live, own=True)
        ports = BridgePorts(
            transport,
            MemoryStore(),
            SystemClock(),
            engines,
            runtime.host,
            ProjectWorkspaces(settings.projects, options.work_dir, Worktrees()),
            plugins=InstalledCommands(settings, runtime.shelf, always_answers=True),
        )
        if remark:
            screen.note(remark)
        if live:
            screen.note(
                f"{default} answers in {options.work_dir}. /help, /new, /cancel; Ctrl-D leaves."
            )
        await _talk(Bridge(ports, options), transport, screen)


async def _talk(bridge: Bridge, transport: TerminalTransport, screen: Screen) -> None:
    stopping = False

    def heed(number: int) -> None:
        nonlocal stopping
        if number == signal.SIGINT and transport.interrupt():
            screen.note("cancelling; Ctrl-C again leaves")
        elif not stopping:
            stopping = True
            bridge.stop()
        else:
            leave_now()

    with plain_errors():
        async with anyio.create_task_group() as tasks:
            await tasks.start(heed_signals, heed, stop_signals())
            begin_reading(screen, 0, transport)
            await bridge.run()
            tasks.cancel_scope.cancel()
