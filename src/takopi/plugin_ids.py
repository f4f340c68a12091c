"""Say which ids engines and commands of plug-ins may have."""

import re
from collections.abc import Collection

__all__ = [
    "RESERVED_CHAT_WORDS",
    "RESERVED_COMMAND_IDS",
    "RESERVED_ENGINE_IDS",
    "check_plugin_id",
]

_ID = re.compile(r"[a-z0-9_]{1,32}")

# An engine's id is a command of the CLI, a command of the chat and a table of the configuration
# at once, so the names of all three are taken. What is only said in the chat has to mind the chat.
_CLI = (
    "bot", "chat", "chat_id", "completion", "config", "doctor", "engines", "help", "init",
    "install", "logs", "mock", "onboard", "plugins", "ps", "run", "service", "setup", "stop",
    "takopi", "uninstall", "update", "update_check", "upgrade", "version",
)  # fmt: skip
_CHAT = (
    "agent", "all", "approve", "at", "cancel", "ctx", "deny", "diff", "every", "file", "help",
    "mode", "model", "new", "project", "projects", "queue", "reasoning", "resume", "schedules",
    "sessions", "settings", "start", "status", "topic", "trigger", "usage", "verbose", "voice",
    "worktrees",
)  # fmt: skip
_TABLES = (
    "approvals", "backlog", "budget", "default_engine", "default_project", "env", "files",
    "keep_runs_days", "keep_runs_gb", "kill_after_s", "language", "max_run_mb", "max_runs",
    "on_stop", "session_mode", "stall_after_s", "topics", "transport", "transports",
    "watch_config", "work_dir",
)  # fmt: skip

RESERVED_CHAT_WORDS: tuple[str, ...] = tuple(sorted(_CHAT))
"""No project is called so."""

# The four are those that plug-ins for the public takopi keep clear of.
RESERVED_COMMAND_IDS: tuple[str, ...] = tuple(
    sorted({*_CHAT, "config", "doctor", "init", "plugins"})
)
RESERVED_ENGINE_IDS: tuple[str, ...] = tuple(sorted({*_CLI, *_CHAT, *_TABLES}))


def check_plugin_id(plugin_id: str, reserved: Collection[str] = RESERVED_ENGINE_IDS) -> str | None:
    """Return what is wrong with an id; None when it can be used.

    Args:
        plugin_id: The id.
        reserved: What nothing of its kind is called.
    """
    if _ID.fullmatch(plugin_id) is None:
        return (
            f"`{plugin_id}` cannot be an id: it takes 1 to 32 of a-z, 0-9 and _; rename the "
            "module, file or entry point"
        )
    if plugin_id in reserved:
        return f"`{plugin_id}` is a name that takopi itself uses; rename it"
    return None
