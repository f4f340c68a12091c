"""What `Settings` holds, table by table; the fields are described in `KEYS`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from takopi.core.projects import Projects
from takopi.core.texts import tr, translated
from takopi.errors import ConfigError

__all__ = [
    "ApprovalsSettings",
    "Backlog",
    "BudgetSettings",
    "FilesSettings",
    "MessageOverflow",
    "OnStop",
    "PluginsSettings",
    "SessionMode",
    "Settings",
    "TelegramSettings",
    "TopicScope",
    "TopicsSettings",
    "Trigger",
    "Verbosity",
    "VoiceSettings",
    "WhoDecides",
    "wrong_value",
]

MessageOverflow: TypeAlias = Literal["split", "trim", "file"]
Backlog: TypeAlias = Literal["answer", "ask", "drop"]
OnStop: TypeAlias = Literal["detach", "cancel"]
WhoDecides: TypeAlias = Literal["asker", "allowed"]
SessionMode: TypeAlias = Literal["stateless", "chat"]
Trigger: TypeAlias = Literal["all", "mentions"]
Verbosity: TypeAlias = Literal["quiet", "normal", "full"]
TopicScope: TypeAlias = Literal["auto", "main", "projects", "all"]


class TopicsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold `[transports.telegram.topics]`."""

    enabled: bool = False
    scope: TopicScope = "auto"
    auto: bool = False


class TelegramSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold `[transports.telegram]`."""

    bot_token: str | None = None
    chat_id: int | None = None
    allowed_chat_ids: tuple[int, ...] = ()
    allowed_user_ids: tuple[int, ...] = ()
    api_base_url: str | None = None
    message_overflow: MessageOverflow = "split"
    show_resume_line: bool = True
    final_notify: bool = True
    trigger: Trigger = "all"
    verbose: Verbosity = "normal"
    reactions: bool = True
    topics: TopicsSettings = TopicsSettings()


class ApprovalsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold `[approvals]`."""

    who: WhoDecides = "asker"


class FilesSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold `[files]`."""

    enabled: bool = True
    incoming: str = "incoming"
    max_down_mb: int = 20
    max_up_mb: int = 50
    deny_globs: tuple[str, ...] = ()


class VoiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold `[voice]`."""

    base_url: str | None = None
    api_key: str | None = None
    model: str | None = None
    command: tuple[str, ...] = ()
    model_dir: Path | None = None
    language: str | None = None
    timeout_s: int = 120


class BudgetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold `[budget]`, in US dollars."""

    daily_usd: float | None = None
    per_turn_usd: float | None = None


class PluginsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold `[plugins]`, without the tables of the plug-ins themselves."""

    enabled: tuple[str, ...] = ()

    @property
    def packages(self) -> tuple[str, ...] | None:
        """Give the packages that may bring plug-ins; None for all."""
        return self.enabled or None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one configuration file; the fields are described in `KEYS`.

    Args:
        path: The file, whether it exists or not.
        exists: Whether it does.
        projects: `[projects.<alias>]`, checked.
        foreign_chat: The keys of Telegram's table that hold for every chat service, as they stand
            in the table of another one; None when Telegram is served.
        env_pass: `[env.<id>] pass` by engine.
        document: The whole file as plain values; the tables of engines and plug-ins stand in it.
    """

    path: Path
    exists: bool = True
    default_engine: str | None = None
    transport: str = "telegram"
    work_dir: Path | None = None
    max_runs: int = 8
    backlog: Backlog = "answer"
    on_stop: OnStop = "detach"
    stall_after_s: int = 300
    kill_after_s: int = 0
    max_run_mb: int = 1024
    keep_runs_days: float = 7
    keep_runs_gb: float = 2
    default_project: str | None = None
    session_mode: SessionMode = "stateless"
    language: str = "en"
    watch_config: bool = True
    update_check: bool = False
    approvals: ApprovalsSettings = ApprovalsSettings()
    telegram: TelegramSettings = TelegramSettings()
    foreign_chat: TelegramSettings | None = None
    files: FilesSettings = FilesSettings()
    voice: VoiceSettings = VoiceSettings()
    budget: BudgetSettings = BudgetSettings()
    plugins: PluginsSettings = PluginsSettings()
    projects: Projects = Projects()
    env_pass: Mapping[str, tuple[str, ...]] = {}
    document: Mapping[str, Any] = {}

    @property
    def chat(self) -> TelegramSettings:
        """Give what holds in the chats of the transport that is served."""
        return self.telegram if self.foreign_chat is None else self.foreign_chat

    @property
    def served_chat_ids(self) -> tuple[int, ...]:
        """List the chats that are served beside `chat.chat_id`, those of projects included."""
        bound = (one.chat_id for one in self.projects.all if one.chat_id is not None)
        return tuple(dict.fromkeys((*self.chat.allowed_chat_ids, *bound)))

    def engine_table(self, engine: str) -> dict[str, Any]:
        """Return the table of an engine, empty when there is none.

        Raises:
            ConfigError: The key is there but is no table.
        """
        table = self.document.get(engine, {})
        if not isinstance(table, Mapping):
            raise wrong_value(self.path, engine, table, written_as(engine))
        return dict(table)

    def transport_table(self, transport: str) -> dict[str, Any]:
        """Return `[transports.<id>]`, empty when there is none."""
        return dict(self.document.get("transports", {}).get(transport, {}))

    def plugin_table(self, plugin: str) -> dict[str, Any]:
        """Return `[plugins.<id>]`, empty when there is none."""
        return dict(self.document.get("plugins", {}).get(plugin, {}))


def written_as(name: str) -> str:
    """Say how a table is written, where something else stands."""
    return tr("a table, written as [{name}]", name=name)


def wrong_value(
    path: Path, key: str, found: Any, accepted: str, *, shown: str | None = None
) -> ConfigError:
    """Make the error for a value that is not accepted.

    Args:
        path: The configuration file.
        key: Dotted.
        found: What stands there.
        accepted: What may.
        shown: Stands in the text for what was found.
    """
    return ConfigError(
        tr("{path}: {key} is {found}; accepted: {accepted}",
           path=path, key=key, found=shown or _as_toml(found), accepted=translated(accepted))
    )  # fmt: skip


def _as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + (value if len(value) <= 60 else value[:57] + "...") + '"'
    if isinstance(value, Mapping):
        return tr("a table")
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
