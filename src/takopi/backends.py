"""How an engine presents itself: `BACKEND = EngineBackend(...)` at the end of its module."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from takopi.runner import Runner

__all__ = ["EngineBackend", "EngineConfig", "SetupIssue"]

EngineConfig: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SetupIssue:
    """Describe one thing a person has to do before the bot can start.

    Args:
        title: One line.
        lines: What to do, a step a line.
    """

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineBackend:
    """Register an engine.

    Args:
        id: Equals the name of the module, file or entry point; `^[a-z0-9_]{1,32}$`.
        build_runner: Makes a runner from the engine's table of the configuration and the path of
            the file it stands in; raises `ConfigError` with file, key and what is accepted.
        cli_cmd: The executable, when it is not called as the id. It is also run as
            `<cli_cmd> --version`, and has to print a version then, like `1.2`, and do nothing else.
        install_cmd: Shown to a person who lacks the executable.
        env_pass: Names of environment variables the engine may see beyond the common ones and
            `<ID>_*`; a trailing `*` matches a prefix.
    """

    id: str
    build_runner: Callable[[EngineConfig, Path], "Runner"]
    cli_cmd: str | None = None
    install_cmd: str | None = None
    env_pass: tuple[str, ...] = ()
