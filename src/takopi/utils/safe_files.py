"""Open files below a folder, and never anything else, whatever their names say.

A name comes from a chat or from an agent, so it is hostile until shown otherwise. It is refused
when it points out of the folder, hides what it is, or names a secret. Then the path is walked from
the folder down, one component at a time, each relative to the descriptor of the one before and
never through a symbolic link: whoever swaps a directory for a link in between gains nothing,
because what was checked is what is open. Only plain files are opened; a pipe or device is refused
before it is opened, and what was opened is looked at again.

A hard link cannot be told from the file itself, so reading follows it. Writing does not: it makes
a new file and puts it in the old one's place.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from takopi.core.file_rules import DENIED, is_denied, name_parts
from takopi.core.texts import tr
from takopi.errors import FileRefused

__all__ = [
    "DENIED",
    "folder_below",
    "is_denied",
    "is_draft",
    "is_there",
    "open_below",
    "write_below",
]


_DRAFT = re.compile(r"\.[0-9a-f]{16}\.part")


def open_below(root: Path, name: str, *, denied: Sequence[str] = DENIED) -> BinaryIO:
    """Open a plain file below a folder for reading.

    Args:
        root: The folder; it is trusted, and may itself be reached by a link.
        name: Path relative to it.
        denied: Patterns of names that are refused, as in `is_denied`.

    Raises:
        FileRefused: The name is hostile or denied, or there is no such plain file.
    """
    with _folder_of(root, name, denied) as (folder, last):
        try:
            if not stat.S_ISREG(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode):
                raise FileRefused(name, tr("it is no plain file"))
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            file = os.fdopen(os.open(last, flags, dir_fd=folder), "rb")
        except OSError as error:
            raise _refused(name, error) from error
    # It may have been swapped between the two looks; what is open now stays what it is.
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FileRefused(name, tr("it is no plain file"))
    return file


@contextmanager
def write_below(
    root: Path,
    name: str,
    *,
    denied: Sequence[str] = DENIED,
    replace: bool = False,
    mode: int = 0o666,
) -> Iterator[BinaryIO]:
    """Write a file below a folder: whole, once the block ends well, or not at all.

    Folders on the way are made. What stands in its place and is no plain file stays as it is.

    Args:
        root: As in `open_below`.
        name: Path relative to it.
        denied: As in `open_below`.
        replace: Whether a plain file of that name may be replaced.
        mode: Who may do what with it, before the umask.

    Raises:
        FileRefused: The name is hostile or denied, or something stands there already.
    """
    with _folder_of(root, name, denied, make=True) as (folder, last):
        _check_place(folder, last, name, replace=replace)
        draft = f".{secrets.token_hex(8)}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(draft, flags, mode, dir_fd=folder)
        except OSError as error:
            raise _refused(name, error) from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
            _put(folder, draft, last, name, replace=replace)
        finally:
            _remove(folder, draft)


def is_there(root: Path, name: str, *, denied: Sequence[str] = DENIED) -> bool:
    """Tell whether anything has a name below a folder, whatever it is.

    Raises:
        FileRefused: The name is hostile or denied, or leads over something that is no folder.
    """
    try:
        with _folder_of(root, name, denied) as (folder, last):
            os.stat(last, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    except FileRefused as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return False
        raise
    except OSError as error:
        raise _refused(name, error) from error
    return True


@contextmanager
def folder_below(root: Path, name: str, *, denied: Sequence[str] = DENIED) -> Iterator[int | None]:
    """Open a folder below a folder; None when the name is that of something else.

    Args:
        root: As in `open_below`.
        name: Path relative to it; empty for the folder itself.
        denied: As in `open_below`.

    Raises:
        FileRefused: The name is hostile or denied, or there is nothing.
    """
    if not name:
        try:
            whole = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise _refused(name, error) from error
        try:
            yield whole
        finally:
            os.close(whole)
        return
    with _folder_of(root, name, denied) as (above, last):
        try:
            if not stat.S_ISDIR(os.stat(last, dir_fd=above, follow_symlinks=False).st_mode):
                yield None
                return
        except OSError as error:
            raise _refused(name, error) from error
        folder = _step(above, last, name, make=False)
        try:
            yield folder
        finally:
            os.close(folder)


def is_draft(name: str) -> bool:
    """Tell whether a name is one under which `write_below` begins a file."""
    return _DRAFT.fullmatch(name) is not None


def _check_place(folder: int, last: str, name: str, *, replace: bool) -> None:
    try:
        there = os.stat(last, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refused(name, error) from error
    if not stat.S_ISREG(there.st_mode):
        raise FileRefused(name, tr("something that is no plain file stands there"))
    if not replace:
        raise FileRefused(
            name, tr("there is a file of that name already (`/file put --replace` replaces it)")
        )


def _put(folder: int, draft: str, last: str, name: str, *, replace: bool) -> None:
    """Give the draft its name; without `replace` nobody's file goes, also one made just now."""
    try:
        if replace:
            os.replace(draft, last, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            os.link(draft, last, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError as error:
        raise FileRefused(
            name, tr("there is a file of that name already (`/file put --replace` replaces it)")
        ) from error
    except OSError as error:
        raise _refused(name, error) from error


def _remove(folder: int, draft: str) -> None:
    try:
        os.unlink(draft, dir_fd=folder)
    except FileNotFoundError:
        return  # it has its name


@contextmanager
def _folder_of(
    root: Path, name: str, denied: Sequence[str], *, make: bool = False
) -> Iterator[tuple[int, str]]:
    """Open the folder in which a name lies; give its descriptor and the last component."""
    *folders, last = name_parts(name)
    if is_denied(name, denied):
        raise FileRefused(name, tr("names like this one are kept private"))
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        here = os.open(root, flags)
    except OSError as error:
        raise _refused(name, error) from error
    try:
        for folder in folders:
            below = _step(here, folder, name, make=make)
            os.close(here)
            here = below
        yield here, last
    finally:
        os.close(here)


def _step(here: int, folder: str, name: str, *, make: bool) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        if make:
            with suppress(FileExistsError):  # or it is no folder, which opening it tells
                os.mkdir(folder, dir_fd=here)
        return os.open(folder, flags, dir_fd=here)
    except OSError as error:
        raise _refused(name, error) from error


def _refused(name: str, error: OSError) -> FileRefused:
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return FileRefused(name, tr("a link or a file stands where a folder should be"))
    if error.errno == errno.ENOENT:
        return FileRefused(name, tr("there is nothing of that name"))
    return FileRefused(name, error.strerror or tr("it cannot be opened"))
