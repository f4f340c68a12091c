"""Be what plug-ins import: every public name in one place, and nothing else of takopi does.

The names stay as they are while `TAKOPI_PLUGIN_API_VERSION` does.
"""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from takopi import config as _config
from takopi.backends import EngineBackend, EngineConfig, SetupIssue
from takopi.base_runner import capabilities_of
from takopi.command_runtime import CommandRuntime, ResolvedMessage, ResolvedRunner
from takopi.commands import (
    CommandBackend,
    CommandContext,
    CommandExecutor,
    CommandResult,
    RunMode,
    RunRequest,
    RunResult,
    get_command,
    list_command_ids,
)
from takopi.config import ConfigError, read_config, write_config
from takopi.context import RunContext
from takopi.core.chat import (
    Button,
    ButtonPressed,
    ChatMessage,
    ChatMigrated,
    ChatUpdate,
    Document,
    IncomingFile,
    MessageEdited,
    MessageReceived,
    RepliedTo,
    Scope,
)
from takopi.core.outbox_budget import OutboxLimits
from takopi.core.richtext import Entity, RichText
from takopi.core.usage import Usage, read_usage
from takopi.desktop_sessions import DesktopSession
from takopi.engines import find_engines
from takopi.errors import (
    ChatLost,
    ChatMoved,
    DirectiveError,
    FileTooLarge,
    FloodLimited,
    FormatRefused,
    PluginError,
    ReplyTargetLost,
    RunnerUnavailableError,
    TargetLost,
    ThreadLost,
    TopicsUnavailable,
    TransportError,
    TransportUnavailable,
    Unauthorized,
)
from takopi.events import EventFactory
from takopi.logging import bind_run_context, clear_context, get_logger, suppress_logs
from takopi.model import (
    Action,
    ActionEvent,
    ActionKind,
    CompletedEvent,
    EngineId,
    ResumeToken,
    StartedEvent,
    TakopiEvent,
)
from takopi.plugin_ids import RESERVED_COMMAND_IDS
from takopi.runner import (
    BaseRunner,
    JsonlRunState,
    JsonlSubprocessRunner,
    ResumeTokenMixin,
    Runner,
    SessionLockMixin,
    current_request,
)
from takopi.runners.run_options import (
    EngineRunOptions,
    apply_run_options,
    get_run_options,
    reset_run_options,
    set_run_options,
)
from takopi.runners.tool_actions import tool_input_path, tool_kind_and_title
from takopi.settings import Settings, home_directory
from takopi.settings import load_settings as _load_settings
from takopi.transport import MessageRef, RenderedMessage, SendOptions
from takopi.transports import (
    BaseTransport,
    MenuCommand,
    ServedTransport,
    SetupTalk,
    Transport,
    TransportBackend,
    TransportCapabilities,
    TransportConfig,
)
from takopi.turn import EngineCapabilities, LiveTurn, TurnRequest
from takopi.utils.git import (
    git_is_worktree,
    git_ok,
    git_run,
    git_stdout,
    resolve_main_worktree_root,
)
from takopi.utils.paths import (
    get_run_base_dir,
    relativize_command,
    relativize_path,
    reset_run_base_dir,
    set_run_base_dir,
)
from takopi.utils.streams import drain_stderr, iter_bytes_lines, iter_jsonl
from takopi.utils.subprocess import manage_subprocess

if TYPE_CHECKING:
    HOME_CONFIG_PATH: Path

TransportRuntime = CommandRuntime
"""The name that command plug-ins for the public takopi have for it."""

__all__ = [
    "HOME_CONFIG_PATH",
    "RESERVED_COMMAND_IDS",
    "TAKOPI_PLUGIN_API_VERSION",
    "Action",
    "ActionEvent",
    "ActionKind",
    "BaseRunner",
    "BaseTransport",
    "Button",
    "ButtonPressed",
    "ChatLost",
    "ChatMessage",
    "ChatMigrated",
    "ChatMoved",
    "ChatUpdate",
    "CommandBackend",
    "CommandContext",
    "CommandExecutor",
    "CommandResult",
    "CommandRuntime",
    "CompletedEvent",
    "ConfigError",
    "DesktopSession",
    "DirectiveError",
    "Document",
    "EngineBackend",
    "EngineCapabilities",
    "EngineConfig",
    "EngineId",
    "EngineRunOptions",
    "Entity",
    "EventFactory",
    "FileTooLarge",
    "FloodLimited",
    "FormatRefused",
    "IncomingFile",
    "JsonlRunState",
    "JsonlSubprocessRunner",
    "LiveTurn",
    "MenuCommand",
    "MessageEdited",
    "MessageReceived",
    "MessageRef",
    "OutboxLimits",
    "PluginError",
    "RenderedMessage",
    "RepliedTo",
    "ReplyTargetLost",
    "ResolvedMessage",
    "ResolvedRunner",
    "ResumeToken",
    "ResumeTokenMixin",
    "RichText",
    "RunContext",
    "RunMode",
    "RunRequest",
    "RunResult",
    "Runner",
    "RunnerUnavailableError",
    "Scope",
    "SendOptions",
    "ServedTransport",
    "SessionLockMixin",
    "SetupIssue",
    "SetupTalk",
    "StartedEvent",
    "TakopiEvent",
    "TargetLost",
    "ThreadLost",
    "TopicsUnavailable",
    "Transport",
    "TransportBackend",
    "TransportCapabilities",
    "TransportConfig",
    "TransportError",
    "TransportRuntime",
    "TransportUnavailable",
    "TurnRequest",
    "Unauthorized",
    "Usage",
    "apply_run_options",
    "bind_run_context",
    "capabilities_of",
    "clear_context",
    "current_request",
    "drain_stderr",
    "get_command",
    "get_logger",
    "get_run_base_dir",
    "get_run_options",
    "git_is_worktree",
    "git_ok",
    "git_run",
    "git_stdout",
    "install_issue",
    "iter_bytes_lines",
    "iter_jsonl",
    "list_backends",
    "list_command_ids",
    "load_settings",
    "manage_subprocess",
    "read_config",
    "read_usage",
    "relativize_command",
    "relativize_path",
    "reset_run_base_dir",
    "reset_run_options",
    "resolve_main_worktree_root",
    "set_run_base_dir",
    "set_run_options",
    "suppress_logs",
    "tool_input_path",
    "tool_kind_and_title",
    "write_config",
]

TAKOPI_PLUGIN_API_VERSION = 1


def __getattr__(name: str) -> Any:
    if name == "HOME_CONFIG_PATH":
        return _config.HOME_CONFIG_PATH
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_settings(path: str | Path | None = None) -> tuple[Settings, Path]:
    """Read the configuration and check it.

    Args:
        path: The file; None means takopi's own.

    Raises:
        ConfigError: It cannot be read, or a value in it is not accepted.
        AccessError: Others may read it.
    """
    file: Path = Path(path).expanduser() if path else _config.HOME_CONFIG_PATH
    return _load_settings(file), file


def list_backends(*, allowlist: Collection[str] | None = None) -> list[EngineBackend]:
    """Return the registrations of all engines that can be loaded.

    Args:
        allowlist: Ids of the engines wanted; None means all.
    """
    catalogue = find_engines(home_directory())
    backends: list[EngineBackend] = []
    for engine_id in catalogue.ids:
        if allowlist is None or engine_id in allowlist:
            try:
                backends.append(catalogue.load(engine_id))
            except PluginError:
                continue  # shown by `takopi plugins`
    return backends


def install_issue(cmd: str, install_cmd: str | None = None) -> SetupIssue:
    """Describe that a program is missing, with the command that installs it."""
    step = f"run `{install_cmd}`" if install_cmd else f"install `{cmd}` and put it on PATH"
    return SetupIssue(f"install {cmd}", (step,))
