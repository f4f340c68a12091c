"""Decide which names a branch may have, and what its folder is called.

The rules are git's own (git-check-ref-format), and a few more: a name arrives from a chat, is shown
in a chat and stands in argument lists, so it is no option, has no end that nobody sees and no
letter that turns the line around.
"""

import hashlib
import re
import string
import unicodedata

from takopi.core.texts import tr

__all__ = ["MAX_BRANCH_BYTES", "check_branch", "worktree_folder"]

# git keeps a branch in a file and locks it by `<file>.lock`; most file systems take 255 bytes.
MAX_BRANCH_BYTES = 200

# What git refuses because its own expressions are written with it.
_EXPRESSION = frozenset("~^:?*[\\")
# Letters and signs that show nothing, although Unicode counts them neither as space nor as control.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for code in range(0xFE00, 0xFE10)
}
# git takes 40 or 64 of these for a commit, whatever branch has that name.
_COMMIT_ID = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")

_FOLDER_MAX = 100
_FOLDER_PLAIN = frozenset(string.ascii_lowercase + string.digits + "-._")


def check_branch(name: str) -> str | None:
    """Say why a text cannot name a branch; None when it can.

    Args:
        name: As the person wrote it, without `@` before it.
    """
    return _wrong_letters(name) or _wrong_form(name) or _wrong_part(name)


def _wrong_letters(name: str) -> str | None:
    if not name:
        return tr("it is empty")
    for letter in name:
        if letter == " " or unicodedata.category(letter)[0] == "Z":
            return tr("it has a space in it")
        if unicodedata.category(letter)[0] == "C" or letter in _BLANK:
            return tr("it has a character in it that cannot be seen (U+{code})", code=_code(letter))
        if letter in _EXPRESSION:
            return tr("it has {letter} in it", letter=letter)
    if len(name.encode()) > MAX_BRANCH_BYTES:
        return tr("it is longer than {count} bytes", count=MAX_BRANCH_BYTES)
    return None


def _wrong_form(name: str) -> str | None:
    if name.startswith("-"):
        return tr("it begins with a dash, like an option")
    if name.startswith("/") or name.endswith("/") or "//" in name:
        return tr("a part of it between slashes is empty")
    for pair in ("..", "@{"):
        if pair in name:
            return tr("it has {letter} in it", letter=pair)
    if name in {"@", "HEAD"}:
        return tr("git uses this name itself")
    if name.startswith("refs/"):
        return tr("it begins with refs/, which git adds itself")
    if _COMMIT_ID.fullmatch(name):
        return tr("it looks like the id of a commit")
    return None


def _wrong_part(name: str) -> str | None:
    for part in name.split("/"):
        if part.startswith("."):
            return tr("a part of it begins with a dot")
        # In any case, because some file systems do not tell them apart.
        if part.lower().endswith(".lock"):
            return tr("a part of it ends with .lock")
    return tr("it ends with a dot") if name.endswith(".") else None


def _code(letter: str) -> str:
    return f"{ord(letter):04X}"


def worktree_folder(branch: str) -> str:
    """Name the folder of a branch's worktree: one name, safe for files and shells.

    Two branches never share one, also where a file system does not tell `A` from `a` or writes `é`
    in two ways: only ASCII stays, a slash becomes `+`, `=` turns large letters on and off, anything
    else becomes `%` and its bytes. What gets too long ends with a digest.

    Args:
        branch: Any text; for names that `check_branch` accepts the folder can be read by a person.
    """
    written: list[str] = []
    large = False
    for number, letter in enumerate(branch):
        if letter.isascii() and letter.isalpha():
            if letter.isupper() != large:
                large = not large
                written.append("=")
            written.append(letter.lower())
        elif letter == "/" and number:
            written.append("+")
        elif letter in _FOLDER_PLAIN and (number or letter not in ".-"):
            written.append(letter)
        else:
            written.extend(f"%{byte:02x}" for byte in letter.encode("utf-8", "surrogatepass"))
    folder = "".join(written) or "%"
    if len(folder) <= _FOLDER_MAX:
        return folder
    # `~` stands in no other folder's name, so that a shortened one can only meet its like.
    digest = hashlib.sha256(branch.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"{folder[: _FOLDER_MAX - 41]}~{digest}"
