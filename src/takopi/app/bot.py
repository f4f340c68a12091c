"""The bot: a chat service on one side, the engines on the other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio

from takopi.app.chat_moves import follow_chat
from takopi.app.engines import EngineShelf, choose_default
from takopi.app.home import Home, current_directory, is_directory
from takopi.app.journal import open_bot_journal
from takopi.app.leaving import (
    STOP_REQUEST,
    heed_signals,
    no_thread_is_waited_for,
    stop_signals,
)
from takopi.app.lives import Lives
from takopi.app.local_zone import local_zone
from takopi.app.locks import AccountLocks, BotLocks
from takopi.app.runtime import open_runtime
from takopi.app.serving import BotParts, Refusal
from takopi.app.setup import missing, not_set_up
from takopi.app.transports import ChosenTransport, choose_transport
from takopi.app.update_check import check_beside
from takopi.bridge.bridge import BridgeOptions
from takopi.bridge.waiting import plain_errors
from takopi.core.access import access_policy
from takopi.core.budget import Budget
from takopi.core.chat_settings import ChatSettings
from takopi.core.texts import tr
from takopi.core.topics import TopicRules
from takopi.core.watchdog import StallLimits
from takopi.engines import find_engines
from takopi.errors import ConfigError
from takopi.locale_files import speak
from takopi.logging import configure_logging
from takopi.settings import Settings, TelegramSettings, refuse_engine_aliases
from takopi.transports import TransportCapabilities

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
    with no_thread_is_waited_for(), plain_errors():
        anyio.run(_serve_lives, default_engine)
    return 0


async def _serve_lives(default_engine: str | None) -> None:
    """Serve one configuration after the other, until a signal says stop."""
    lives = Lives(partial(_opened, default_engine))
    async with anyio.create_task_group() as tasks:
        await tasks.start(heed_signals, lives.heed, (*stop_signals(), STOP_REQUEST))
        await lives.serve()
        tasks.cancel_scope.cancel()


@contextmanager
def _opened(
    default_engine: str | None, settings: Settings | None, refused: Refusal | None
) -> Iterator[BotParts]:
    """Open what a bot is made of; the first life reads its configuration itself."""
    with open_runtime(settings=settings) as runtime:
        speak(runtime.settings.language)
        chosen = choose_transport(runtime.home, runtime.settings, runtime.shelf)
        chosen.must_be_set_up()
        options = bot_options(runtime.settings, runtime.shelf, default_engine, chosen)
        configure_logging()
        with _locks(runtime.home, chosen):
            if runtime.settings.update_check and settings is None:
                check_beside()
            transport = chosen.build()
            store = open_bot_journal(runtime.home)
            check = partial(_check, runtime.home, default_engine)
            files = chosen.backend.capabilities.files
            account = _account(chosen)
            yield BotParts(runtime, transport, store, options, check, account, files, refused)


def _account(chosen: ChosenTransport) -> str:
    """Name whose messages are served; a bot keeps its number with a new token, and elsewhere."""
    if chosen.backend.id == "telegram":
        return f"telegram {str(chosen.config.table['bot_token']).partition(':')[0]}"
    return chosen.account or chosen.backend.id


def _locks(home: Home, chosen: ChosenTransport) -> BotLocks:
    table = chosen.config.table
    if chosen.backend.id == "telegram":
        return BotLocks(home.path, str(table["bot_token"]), table["api_base_url"], os.environ)
    return AccountLocks(home.path, chosen.account, os.environ)


def _check(home: Home, default_engine: str | None, settings: Settings) -> None:
    """Raise when a changed configuration cannot be served.

    Raises:
        ConfigError: As for `serve_bot`.
        PluginError: The default engine's module cannot be used.
    """
    if missing(settings):
        raise not_set_up(settings)
    shelf = EngineShelf(find_engines(home.path, settings.plugins.packages), settings)
    refuse_engine_aliases(settings.projects, shelf.ids(), settings.path)
    chosen = choose_transport(home, settings, shelf)
    chosen.must_be_set_up()
    bot_options(settings, shelf, default_engine, chosen)


def bot_options(
    settings: Settings,
    shelf: EngineShelf,
    default_engine: str | None,
    chosen: ChosenTransport,
) -> BridgeOptions:
    """Make the bridge's options of the configuration.

    Args:
        settings: The configuration.
        shelf: The engines.
        default_engine: Goes before the configured one.
        chosen: The transport; it is set up.

    Raises:
        ConfigError: Nobody would be served, an engine is unknown, or work_dir is gone.
        UsageError: The command line names an engine that nobody knows.
        PluginError: The default engine's module cannot be used.
    """
    chat, capabilities = settings.chat, chosen.backend.capabilities
    assert chosen.chat_id is not None, "must_be_set_up() comes first"
    try:
        access = access_policy(
            chat_id=chosen.chat_id,
            allowed_chat_ids=settings.served_chat_ids,
            allowed_user_ids=chat.allowed_user_ids,
        )
    except ConfigError as error:
        raise ConfigError(f"{settings.path}: {error}") from error
    engine = choose_default(shelf, settings, default_engine)
    shelf.runner(engine)  # better told now than with the first prompt
    return BridgeOptions(
        access=access,
        default_engine=engine,
        work_dir=work_directory(settings),
        show_resume_line=chat.show_resume_line,
        final_notify=chat.final_notify,
        message_overflow=chat.message_overflow,
        max_runs=settings.max_runs,
        stall=StallLimits(settings.stall_after_s, settings.kill_after_s),
        backlog=settings.backlog,
        decide=settings.approvals.who,
        chats=ChatSettings(
            projects=settings.projects,
            default_project=settings.default_project,
            session_mode=settings.session_mode,
            trigger=chat.trigger,
            verbosity=chat.verbose,
            zone=local_zone(os.environ),
            budget=Budget(
                daily_usd=settings.budget.daily_usd, per_turn_usd=settings.budget.per_turn_usd
            ),
            topics=_topic_rules(chat),
            absent=_absent_commands(capabilities),
            replies=capabilities.replies,
        ),
        reactions=chat.reactions and capabilities.reactions,
        limits=capabilities.limits,
        on_chat_moved=partial(follow_chat, settings.path),
    )


def _absent_commands(capabilities: TransportCapabilities) -> tuple[str, ...]:
    there = {"topic": capabilities.topics, "file": capabilities.files}
    return tuple(command for command, is_there in there.items() if not is_there)


def _topic_rules(telegram: TelegramSettings) -> TopicRules:
    topics = telegram.topics
    return TopicRules(
        enabled=topics.enabled,
        scope=topics.scope,
        auto=topics.auto,
        main_chat=telegram.chat_id or 0,
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
            tr(
                '{file}: work_dir is "{path}", which is not a directory; make it with '
                "`mkdir -p {path}`, or set another",
                file=settings.path,
                path=path,
            )
        )
    return path
