"""What files may be called, and how large they may be.

A name comes from a chat or from an agent, so it is hostile until shown otherwise. What is decided
here is decided by the name alone; `takopi.utils.safe_files` opens what passed.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

import msgspec

from takopi.core.texts import tr
from takopi.errors import FileRefused

__all__ = [
    "DENIED",
    "MB",
    "FileCommandWords",
    "FileRules",
    "free_name",
    "is_denied",
    "name_parts",
    "path_below",
    "read_file_command",
    "safe_name",
]

DENIED: tuple[str, ...] = (
    ".git/**", ".ssh/**", ".gnupg/**", ".aws/**", ".azure/**", ".kube/**", ".takopi/**",
    ".config/gcloud/**", ".docker/config.json", ".env*", "*.env", ".envrc", ".netrc", "_netrc",
    ".npmrc", ".pypirc", ".pgpass", ".git-credentials", ".htpasswd", ".vault-token", "*.pem",
    "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.asc", "*.gpg",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "credentials", "credentials.*",
    "secrets.*", "takopi.toml", "takopi.db*", "auth.json",
)  # fmt: skip
"""Names that are never opened: what they match, at any depth, and all that lies below."""

MB = 1024 * 1024

MAX_COMPONENT_BYTES = 255
MAX_NAME_BYTES = 4096
# A name from the chat is shorter, so that ` -2` and the like always have room.
_MAX_SAFE_BYTES = 120
_MAX_SUFFIX_BYTES = 20
_MOST_COPIES = 10_000

# They turn the order of what is read around: `gnp.exe` looks like `exe.png`.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_HIDING = frozenset({"Cc", "Cs", "Zl", "Zp"})
# What no name needs, and what a shell or another file system would take for more than a letter.
_REPLACED = re.compile(r'[<>:"|?*`$;&!\\/]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\..*)?")

# The second is what the public takopi calls it.
_REPLACE = frozenset({"--replace", "--force"})


class FileCommandWords(msgspec.Struct, frozen=True):
    """Be what `/file` was asked.

    Args:
        verb: Which way the file goes.
        path: In the project; empty for where arriving files go.
        replace: Whether a file that is there may be replaced.
    """

    verb: Literal["get", "put"]
    path: str
    replace: bool = False


class FileRules(msgspec.Struct, frozen=True, kw_only=True):
    """Say what goes between a chat and a project.

    Args:
        enabled: Whether anything does.
        incoming: Folder of the project, relative to it, for what arrives.
        max_down: The largest file that is taken from the chat, in bytes.
        max_up: The largest file that is sent to the chat, in bytes.
        denied: Patterns of names that are refused, as in `is_denied`.
    """

    enabled: bool = True
    incoming: str = "incoming"
    max_down: int = 20 * MB
    max_up: int = 50 * MB
    denied: tuple[str, ...] = DENIED


def is_denied(name: str, patterns: Sequence[str] = DENIED) -> bool:
    """Tell whether a relative path, or a folder on its way, matches one of the patterns.

    Case, width and invisible characters do not count, because some file systems ignore them.

    Args:
        name: The path, its components separated by slashes.
        patterns: Shell patterns, each for one or more components in a row. `/**` at the end may be
            left out: what lies below a match is always denied.
    """
    parts = name.split("/")
    # Both what an accent makes of a letter, however the two are written, and what is left without.
    spellings = ([_folded(_composed(part)) for part in parts], [_folded(part) for part in parts])
    return any(_matches(spelt, pattern) for pattern in patterns for spelt in spellings)


def name_parts(name: str) -> list[str]:
    """Take a relative path apart.

    Raises:
        FileRefused: It points elsewhere, or does not show what it is.
    """
    if not name or len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        raise FileRefused(name, tr("it is empty or too long"))
    if any(c in _BIDI or unicodedata.category(c) in _HIDING for c in name):
        raise FileRefused(name, tr("it has characters that hide what it is"))
    if name.startswith(("/", "~")) or "\\" in name:
        raise FileRefused(name, tr("it has to be relative to the project"))
    parts = name.split("/")
    for part in parts:
        if part in {"", ".", ".."} or unicodedata.normalize("NFKC", part) in {".", ".."}:
            raise FileRefused(name, tr("it has to lead straight down from the project"))
        if len(part.encode()) > MAX_COMPONENT_BYTES:
            raise FileRefused(name, tr("a part of it is too long"))
    return parts


def safe_name(name: str) -> str:
    """Make a name for a file that arrived: one component, plain, visible, and never empty.

    Args:
        name: As the sender called it.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(" " if c.isspace() else c for c in last if not _hides(c))
    plain = re.sub(r" +", " ", _REPLACED.sub("_", shown)).lstrip(" .-~").rstrip(" .")
    if _RESERVED.fullmatch(plain):
        plain = f"_{plain}"
    stem, suffix = _split_suffix(plain)
    room = _MAX_SAFE_BYTES - len(suffix.encode())
    stem = stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .")
    return f"{stem}{suffix}" if stem else f"file{suffix}"


def free_name(name: str, is_taken: Callable[[str], bool]) -> str:
    """Return a name that nothing has: `name.ext`, else `name-2.ext` and so on.

    Args:
        name: As `safe_name` made it.
        is_taken: Tells whether something is called so.

    Raises:
        FileRefused: Ten thousand files are called so.
    """
    if not is_taken(name):
        return name
    stem, suffix = _split_suffix(name)
    for number in range(2, _MOST_COPIES):
        found = f"{stem}-{number}{suffix}"
        if not is_taken(found):
            return found
    raise FileRefused(name, tr("there are too many files of that name"))


def read_file_command(args: str) -> FileCommandWords | None:
    """Read what stands behind `/file`; None when it asks for nothing that there is."""
    verb, _, rest = args.strip().partition(" ")
    option, _, behind = rest.strip().partition(" ")
    replace = option in _REPLACE
    path = (behind if replace else rest).strip()
    if path[:1] in {'"', "'", "`"} and path[:1] == path[-1:] and len(path) > 1:
        path = path[1:-1]
    match verb.lower():
        case "put":
            return FileCommandWords("put", path, replace)
        case "get" if path and not replace:
            return FileCommandWords("get", path)
        case _:
            return None


def path_below(root: str, path: str) -> str | None:
    """Return a path relative to a directory; None when it does not lie in it.

    Args:
        root: The directory, absolute.
        path: Absolute, or relative to it already.
    """
    path = path.removeprefix("file://")
    if not path.startswith("/"):
        return path.removeprefix("./") or None
    base = root.rstrip("/") + "/"
    return path.removeprefix(base) or None if path.startswith(base) else None


def _hides(character: str) -> bool:
    if character.isspace():
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _split_suffix(name: str) -> tuple[str, str]:
    """Split off what says the kind of a file: `.tar.gz` as a whole, and nothing that is long."""
    match = re.fullmatch(r"(.+?)((?:\.tar)?\.\w{1,12})", name)
    if match is None or len(match[2].encode()) > _MAX_SUFFIX_BYTES:
        return name, ""
    return match[1], match[2]


def _composed(part: str) -> str:
    shown = "".join(c for c in part if unicodedata.category(c) not in {"Cf", "Cc"})
    return unicodedata.normalize("NFKC", shown)


def _folded(part: str) -> str:
    shown = "".join(c for c in part if unicodedata.category(c) not in {"Cf", "Cc", "Mn", "Me"})
    return unicodedata.normalize("NFKC", shown).casefold().rstrip(" .")


def _matches(parts: list[str], pattern: str) -> bool:
    wanted = _wanted(pattern)
    return any(
        all(fnmatchcase(part, one) for part, one in zip(parts[at:], wanted, strict=False))
        for at in range(len(parts) - len(wanted) + 1)
    )


@lru_cache(maxsize=1024)
def _wanted(pattern: str) -> tuple[str, ...]:
    plain = _composed(pattern).casefold()
    return tuple(plain.removeprefix("**/").removesuffix("/**").strip("/").split("/"))
