"""Keep the folder for arriving files out of what git shows, without a change to the project."""

import re
from pathlib import Path

from takopi.logging import get_logger
from takopi.utils.git import git_stdout

__all__ = ["exclude_folder"]

_log = get_logger(__name__)


def exclude_folder(root: Path, folder: str) -> None:
    """Add a folder to the repository's `info/exclude`, once; nothing happens outside of one.

    Args:
        root: The directory in which the folder lies; also a worktree, or a part of a repository.
        folder: Relative to it.
    """
    found = git_stdout(["rev-parse", "--show-prefix", "--git-path", "info/exclude"], cwd=root)
    if found is None:
        return
    # At the top the prefix is an empty line, which may have been taken off with the white space.
    prefix, _, path = found.rpartition("\n")
    line = f"/{_literal(prefix + folder)}/"
    exclude = root / path
    try:
        if exclude.exists() and not exclude.is_file():
            raise OSError("it is no plain file")  # a pipe would let the bot wait for ever
        known = exclude.read_text("utf-8", "replace") if exclude.exists() else ""
        if line in known.splitlines():
            return
        exclude.parent.mkdir(exist_ok=True)
        with exclude.open("a", encoding="utf-8") as file:
            file.write(("" if not known or known.endswith("\n") else "\n") + line + "\n")
    except OSError as error:
        _log.warning("files.not_excluded", path=str(exclude), error=str(error))


def _literal(path: str) -> str:
    """Write a path as a pattern that matches nothing else."""
    return re.sub(r"([\\*?\[\]])", r"\\\1", path)
