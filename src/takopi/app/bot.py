"""The bot: Telegram on one side, the engines on the other."""

import gc
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio

from takopi.app.engines import choose_default
from takopi.app.home import current_directory, is_directory
from takopi.app.leaving import heed_signals, leave_now, stop_signals
from takopi.app.locks import BotLocks
from takopi.app.notify import ServiceNotifier, keep_alive, watchdog_period_s
from takopi.app.runtime import Runtime, open_runtime
from takopi.bridge.bridge import Bridge, BridgeOptions, BridgePorts
from takopi.bridge.clock import SystemClock
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.waiting import plain_errors
from takopi.core.access import access_policy
from takopi.core.chat import ChatUpdate
from takopi.errors import ConfigError
from takopi.logging import configure_logging, get_logger
from takopi.settings import Settings
from takopi.telegram.transport import TelegramConfig, TelegramTransport

__all__ = ["bot_options", "serve_bot", "work_directory"]

_log = get_logger(__name__)


def serve_bot(default_engine: str | None) -> int:
    """Serve until a signal says stop; return the exit status.

    Args:
        default_engine: Goes before the configured one.

    Raises:
        ConfigError: The configuration does not do.
        UsageError: Another takopi serves this folder or this bot.
        Unauthorized: Telegram does not know the token.
    """
    with open_runtime() as runtime:
        options = bot_options(runtime, default_engine)
        configure_logging()
        telegram = runtime.settings.telegram
        token = telegram.bot_token or ""
        with BotLocks(runtime.home.path, token, telegram.api_base_url, os.environ):
            transport = AnnouncedTransport(TelegramConfig(token, telegram.api_base_url))
            anyio.run(_serve, runtime, transport, options)
    return 0


def bot_options(runtime: Runtime, default_engine: str | None) -> BridgeOptions:
    """Make the bridge's options of the configuration.

    Raises:
        ConfigError: Nobody would be served, an engine is unknown, or work_dir is gone.
        UsageError: The command line names an engine that nobody knows.
        PluginError: The default engine's module cannot be used.
    """
    settings = runtime.settings
    telegram = settings.telegram
    assert telegram.chat_id is not None, "setup.missing() comes first"
    try:
        access = access_policy(
            chat_id=telegram.chat_id,
            allowed_chat_ids=telegram.allowed_chat_ids,
            allowed_user_ids=telegram.allowed_user_ids,
        )
    except ConfigError as error:
        raise ConfigError(f"{settings.path}: {error}") from error
    engine = choose_default(runtime.shelf, settings, default_engine)
    runtime.shelf.runner(engine)  # better told now than with the first prompt
    return BridgeOptions(
        access=access,
        default_engine=engine,
        work_dir=work_directory(settings),
        show_resume_line=telegram.show_resume_line,
        final_notify=telegram.final_notify,
        message_overflow=telegram.message_overflow,
        max_runs=settings.max_runs,
    )


def work_directory(settings: Settings) -> Path:
    """Return where new sessions start.

    Raises:
        ConfigError: It is not a directory.
        UsageError: There is none, and the current directory is gone.
    """
    path = settings.work_dir
    if path is None:
        return current_directory()
    if not is_directory(path):
        raise ConfigError(
            f'{settings.path}: work_dir is "{path}", which is not a directory; make it with '
            f"`mkdir -p {path}`, or set another"
        )
    return path


class AnnouncedTransport(TelegramTransport):
    """Be Telegram, and say when polling begins.

    Args:
        config: Token and server.
    """

    def __init__(self, config: TelegramConfig) -> None:
        super().__init__(config)
        self.polling = anyio.Event()

    def updates(self) -> AsyncIterator[Sequence[ChatUpdate]]:
        """Yield batches of updates until `stop`."""
        self.polling.set()
        return super().updates()


async def _announce(notifier: ServiceNotifier, transport: AnnouncedTransport) -> None:
    """Tell the service manager that the bot is ready, and from then on that it lives."""
    await transport.polling.wait()
    notifier.send("READY=1")
    period_s = watchdog_period_s(os.environ, os.getpid())
    serves = f"serves @{transport.identity.username}"
    await keep_alive(notifier, transport, SystemClock(), period_s, lambda: serves)


async def _serve(runtime: Runtime, transport: AnnouncedTransport, options: BridgeOptions) -> None:
    bridge = Bridge(
        BridgePorts(transport, MemoryStore(), SystemClock(), runtime.shelf, runtime.host), options
    )
    connecting = anyio.CancelScope()
    notifier = ServiceNotifier()
    stopping = False

    def stop(number: int) -> None:
        nonlocal stopping
        if stopping:
            leave_now()
        stopping = True
        _log.info("bot.stopping", signal=number)
        notifier.send("STOPPING=1")
        connecting.cancel()
        bridge.stop()

    with plain_errors():
        async with anyio.create_task_group() as tasks:
            await tasks.start(heed_signals, stop, stop_signals())
            if notifier.wanted:
                tasks.start_soon(_announce, notifier, transport)
            try:
                with connecting:
                    identity = await transport.connect()
                    # What was imported stays for good: no collection need look at it again.
                    gc.freeze()
                    print(f"takopi serves @{identity.username} (Ctrl-C stops it)", flush=True)  # noqa: T201
                if not connecting.cancel_called:
                    await bridge.run()
            finally:
                await transport.aclose()
            tasks.cancel_scope.cancel()
