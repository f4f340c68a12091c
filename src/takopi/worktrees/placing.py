"""Choose where a worktree goes, without leaving the project and without touching what is there."""

import os
import re
from pathlib import Path

from takopi.core.projects import Project
from takopi.core.texts import tr
from takopi.errors import GitRefused

__all__ = ["exclude", "free_folder", "make_worktrees_dir"]

_MOST = 99


def make_worktrees_dir(project: Project) -> Path:
    """Make the directory in which a project's worktrees are, and give it without links.

    Raises:
        GitRefused: It would be elsewhere than the person said, or cannot be made.
    """
    written = Path(project.worktrees_dir)
    if "\0" in project.worktrees_dir or ".." in written.parts or not written.name:
        raise _refused(project, tr("it is no folder below the project"))
    if ".git" in {part.lower() for part in written.parts}:
        raise _refused(project, tr("git keeps its own files there"))
    try:
        root = Path(project.path).resolve(strict=True)
        target = root / written
        # Before anything is made, and after: a link could have come in between.
        _check_inside(project, root, target.resolve())
        target.mkdir(parents=True, exist_ok=True)
        found = target.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise _refused(project, str(error)) from error
    _check_inside(project, root, found)
    return found


def _check_inside(project: Project, root: Path, found: Path) -> None:
    if found == root:
        raise _refused(project, tr("it is the project's own folder"))
    # An absolute one is the person's choice; a relative one that ends elsewhere is somebody's link.
    if not Path(project.worktrees_dir).is_absolute() and not found.is_relative_to(root):
        raise _refused(project, tr("a link leads from it to {path}", path=found))


def _refused(project: Project, why: str) -> GitRefused:
    return GitRefused(
        tr("No worktrees can be made in `{folder}` of the project {alias}: {why}. Set "
           "`worktrees_dir` to another folder, then try again.",
           folder=project.worktrees_dir, alias=project.alias, why=why)
    )  # fmt: skip


def free_folder(parent: Path, name: str) -> Path:
    """Find a folder that does not exist yet, or is empty; what is there stays as it is.

    Args:
        parent: Where.
        name: How it is called, or how its name begins when that is taken.

    Raises:
        GitRefused: All are taken.
    """
    for number in range(1, _MOST + 1):
        # `~` is in no branch's folder, so a numbered one is never that of another branch.
        folder = parent / (name if number == 1 else f"{name}~{number}")
        if not os.path.lexists(folder) or _is_empty(folder):
            return folder
    raise GitRefused(
        tr("{count} folders like {path} are taken; remove those that are left over, then try "
           "again.", count=_MOST, path=parent / name)
    )  # fmt: skip


def _is_empty(folder: Path) -> bool:
    try:
        return not folder.is_symlink() and folder.is_dir() and not any(folder.iterdir())
    except OSError:  # not ours to look into
        return False


def exclude(common_dir: Path, top: Path, folder: Path) -> None:
    """Keep a folder out of the status of a repository, for this clone alone.

    Args:
        common_dir: The repository's directory.
        top: The top of the working tree; without links.
        folder: The folder; nothing is done when it is not below the top.

    Raises:
        GitRefused: The list of what is left out cannot be written.
    """
    if not folder.is_relative_to(top):
        return
    relative = os.fsencode(folder.relative_to(top))
    line = b"/" + re.sub(rb"([\\*?\[ ])", rb"\\\1", relative).replace(b"\n", b"?") + b"/"
    listed = common_dir / "info" / "exclude"
    try:
        listed.parent.mkdir(exist_ok=True)
        if listed.exists() and not listed.is_file():
            raise OSError("it is no plain file")  # a pipe would let the bot wait for ever
        before = listed.read_bytes() if listed.exists() else b""
        if line in before.split(b"\n"):
            return
        begin = b"\n" if before and not before.endswith(b"\n") else b""
        with listed.open("ab") as file:
            file.write(begin + line + b"\n")
    except OSError as error:
        raise GitRefused(
            tr("{path} cannot be written ({error}); make it writable, then try again.",
               path=listed, error=error)
        ) from error  # fmt: skip
