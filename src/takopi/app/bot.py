"""The bot: Telegram on one side, the engines on the other."""

import os
from functools import partial
from pathlib import Path

import anyio

from takopi.app.chat_moves import follow_chat
from takopi.app.engines import choose_default
from takopi.app.home import current_directory, is_directory
from takopi.app.journal import open_bot_journal
from takopi.app.locks import BotLocks
from takopi.app.runtime import Runtime, open_runtime
from takopi.app.serving import AnnouncedTransport, BotParts, BotService
from takopi.app.update_check import check_beside
from takopi.bridge.bridge import BridgeOptions
from takopi.core.access import access_policy
from takopi.core.chat_settings import ChatSettings
from takopi.core.watchdog import StallLimits
from takopi.errors import ConfigError
from takopi.logging import configure_logging
from takopi.settings import Settings
from takopi.telegram.transport import TelegramConfig

__all__ = ["bot_options", "serve_bot", "work_directory"]


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
            if runtime.settings.update_check:
                check_beside()
            transport = AnnouncedTransport(TelegramConfig(token, telegram.api_base_url))
            store = open_bot_journal(runtime.home)
            anyio.run(_serve, BotParts(runtime, transport, store, options))
    return 0


async def _serve(parts: BotParts) -> None:
    try:
        await BotService(parts).serve()
    finally:
        with anyio.CancelScope(shield=True):
            await parts.store.close()


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
            allowed_chat_ids=settings.served_chat_ids,
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
        stall=StallLimits(settings.stall_after_s, settings.kill_after_s),
        backlog=settings.backlog,
        decide=settings.approvals.who,
        chats=ChatSettings(
            projects=settings.projects,
            default_project=settings.default_project,
            session_mode=settings.session_mode,
            trigger=telegram.trigger,
            verbosity=telegram.verbose,
        ),
        on_chat_moved=partial(follow_chat, settings.path),
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
