"""Ask git, for a short time and without its asking back."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["git_is_worktree", "git_ok", "git_run", "git_stdout", "resolve_main_worktree_root"]

TIMEOUT_S = 30.0


def git_run(args: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str] | None:
    """Run git in a directory and return how it ended; None when it could not run.

    It blocks for at most 30 seconds, so call it from a thread where other work goes on.
    """
    # Started from a git hook, takopi would otherwise act on the hook's repository everywhere.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
    try:
        return subprocess.run(
            ["git", *args],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def git_ok(args: Sequence[str], *, cwd: Path) -> bool:
    """Say whether git ended well."""
    done = git_run(args, cwd=cwd)
    return done is not None and done.returncode == 0


def git_stdout(args: Sequence[str], *, cwd: Path) -> str | None:
    """Return what git printed, without space around it; None when it did not end well."""
    done = git_run(args, cwd=cwd)
    return done.stdout.strip() if done is not None and done.returncode == 0 else None


def git_is_worktree(path: Path) -> bool:
    """Say whether a directory is the top of a working tree."""
    top = git_stdout(["rev-parse", "--show-toplevel"], cwd=path)
    return bool(top) and Path(str(top)).resolve() == path.resolve()


def resolve_main_worktree_root(cwd: Path) -> Path | None:
    """Return the top of the repository's main working tree, from any of its working trees.

    None outside of a repository. For a bare repository it is the repository itself.
    """
    dirs = git_stdout(
        ["rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir"], cwd=cwd
    )
    if dirs is None:
        return None
    own, _, common = dirs.partition("\n")
    if own == common:  # not a linked tree; also right for submodules, which `worktree list` is not
        top = git_stdout(["rev-parse", "--show-toplevel"], cwd=cwd)
        return Path(top or own)
    trees = git_stdout(["worktree", "list", "--porcelain"], cwd=cwd)
    first = (trees or "").partition("\n")[0]
    return Path(first.removeprefix("worktree ")) if first.startswith("worktree ") else None
