"""Know the directory that a run works in, and show paths relative to it."""

import os
import re
from contextvars import ContextVar, Token
from pathlib import Path

__all__ = [
    "get_run_base_dir",
    "relativize_command",
    "relativize_path",
    "reset_run_base_dir",
    "set_run_base_dir",
]

_base_dir: ContextVar[Path | None] = ContextVar("takopi_run_base_dir", default=None)


def get_run_base_dir() -> Path | None:
    """Return the directory of the run in this context; None when none was set."""
    return _base_dir.get()


def set_run_base_dir(path: Path | None) -> Token[Path | None]:
    """Set the directory of the run in this context and return what `reset_run_base_dir` wants."""
    return _base_dir.set(path)


def reset_run_base_dir(token: Token[Path | None]) -> None:
    """Put back the directory that was set before."""
    _base_dir.reset(token)


def _base(base_dir: Path | None) -> str:
    chosen = base_dir if base_dir is not None else get_run_base_dir()
    return str(chosen if chosen is not None else Path.cwd()).rstrip(os.sep)


def relativize_path(value: str, *, base_dir: Path | None = None) -> str:
    """Return a path relative to the run's directory; one outside of it stays as it is."""
    base = _base(base_dir)
    if not base or not value:
        return value
    if value.rstrip(os.sep) == base:
        return "."
    prefix = base + os.sep
    return value[len(prefix) :] if value.startswith(prefix) else value


def relativize_command(value: str, *, base_dir: Path | None = None) -> str:
    """Return a command line with the paths below the run's directory made relative."""
    base = _base(base_dir)
    if not base or base not in value:
        return value
    # Only whole paths: `/srv/app` must not shorten `/srv/app-old/x` nor `/mnt/srv/app/x`.
    before, after = r"(?<![\w./~-])", r"(?![\w.-])"
    value = re.sub(before + re.escape(base + os.sep) + r"(?=[^\s'\"])", "", value)
    return re.sub(before + re.escape(base) + after + re.escape(os.sep) + "?", ".", value)
