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
import secrets
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from takopi.errors import FileRefused

__all__ = ["DENIED", "is_denied", "open_below", "write_below"]

DENIED: tuple[str, ...] = (
    ".git/**", ".ssh/**", ".gnupg/**", ".aws/**", ".azure/**", ".kube/**", ".takopi/**",
    ".config/gcloud/**", ".docker/config.json", ".env*", "*.env", ".envrc", ".netrc", "_netrc",
    ".npmrc", ".pypirc", ".pgpass", ".git-credentials", ".htpasswd", ".vault-token", "*.pem",
    "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.asc", "*.gpg",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "credentials", "credentials.*",
    "secrets.*", "takopi.toml", "takopi.db*", "auth.json",
)  # fmt: skip
"""Names that are never opened: what they match, at any depth, and all that lies below."""

_MAX_COMPONENT_BYTES = 255
_MAX_NAME_BYTES = 4096
# They turn the order of what is read around: `gnp.exe` looks like `exe.png`.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_HIDING = frozenset({"Cc", "Cs", "Zl", "Zp"})


def is_denied(name: str, patterns: Sequence[str] = DENIED) -> bool:
    """Tell whether a relative path, or a folder on its way, matches one of the patterns.

    Case, width and invisible characters do not count, because some file systems ignore them.

    Args:
        name: The path, its components separated by slashes.
        patterns: Shell patterns, each for one or more components in a row. `/**` at the end may be
            left out: what lies below a match is always denied.
    """
    parts = [_folded(part) for part in name.split("/")]
    return any(_matches(parts, pattern) for pattern in patterns)


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
                raise FileRefused(name, "it is no plain file")
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            file = os.fdopen(os.open(last, flags, dir_fd=folder), "rb")
        except OSError as error:
            raise _refused(name, error) from error
    # It may have been swapped between the two looks; what is open now stays what it is.
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FileRefused(name, "it is no plain file")
    return file


@contextmanager
def write_below(
    root: Path, name: str, *, denied: Sequence[str] = DENIED, replace: bool = False
) -> Iterator[BinaryIO]:
    """Write a file below a folder: whole, once the block ends well, or not at all.

    Folders on the way are made. What stands in its place and is no plain file stays as it is.

    Args:
        root: As in `open_below`.
        name: Path relative to it.
        denied: As in `open_below`.
        replace: Whether a plain file of that name may be replaced.

    Raises:
        FileRefused: The name is hostile or denied, or something stands there already.
    """
    with _folder_of(root, name, denied, make=True) as (folder, last):
        _check_place(folder, last, name, replace=replace)
        draft = f".{secrets.token_hex(8)}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(draft, flags, 0o666, dir_fd=folder)
        except OSError as error:
            raise _refused(name, error) from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
            _put(folder, draft, last, name, replace=replace)
        finally:
            _remove(folder, draft)


def _check_place(folder: int, last: str, name: str, *, replace: bool) -> None:
    try:
        there = os.stat(last, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refused(name, error) from error
    if not stat.S_ISREG(there.st_mode):
        raise FileRefused(name, "something that is no plain file stands there")
    if not replace:
        raise FileRefused(name, "there is a file of that name already")


def _put(folder: int, draft: str, last: str, name: str, *, replace: bool) -> None:
    """Give the draft its name; without `replace` nobody's file goes, also one made just now."""
    try:
        if replace:
            os.replace(draft, last, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            os.link(draft, last, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError as error:
        raise FileRefused(name, "there is a file of that name already") from error
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
    *folders, last = _components(name)
    if is_denied(name, denied):
        raise FileRefused(name, "names like this one are kept private")
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


def _components(name: str) -> list[str]:
    """Take a name apart.

    Raises:
        FileRefused: It points elsewhere, or does not show what it is.
    """
    if not name or len(name.encode("utf-8", "surrogatepass")) > _MAX_NAME_BYTES:
        raise FileRefused(name, "it is empty or too long")
    if any(c in _BIDI or unicodedata.category(c) in _HIDING for c in name):
        raise FileRefused(name, "it has characters that hide what it is")
    if name.startswith(("/", "~")) or "\\" in name:
        raise FileRefused(name, "it has to be relative to the project")
    parts = name.split("/")
    for part in parts:
        if part in {"", ".", ".."} or unicodedata.normalize("NFKC", part) in {".", ".."}:
            raise FileRefused(name, "it has to lead straight down from the project")
        if len(part.encode()) > _MAX_COMPONENT_BYTES:
            raise FileRefused(name, "a part of it is too long")
    return parts


def _folded(part: str) -> str:
    shown = "".join(c for c in part if unicodedata.category(c) not in {"Cf", "Cc", "Mn", "Me"})
    return unicodedata.normalize("NFKC", shown).casefold().rstrip(" .")


def _matches(parts: list[str], pattern: str) -> bool:
    wanted = pattern.casefold().removeprefix("**/").removesuffix("/**").strip("/").split("/")
    return any(
        all(fnmatchcase(part, one) for part, one in zip(parts[at:], wanted, strict=False))
        for at in range(len(parts) - len(wanted) + 1)
    )


def _refused(name: str, error: OSError) -> FileRefused:
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return FileRefused(name, "a link or a file stands where a folder should be")
    return FileRefused(name, error.strerror or "it cannot be opened")
