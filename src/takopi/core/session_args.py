"""Read what a person wrote behind `/resume`: an id, or a resume line, and maybe a prompt."""

import re
from collections.abc import Sequence

import msgspec

from takopi.core.decisions import ResumeCodec, RouteTable
from takopi.core.route import last_resume, without_resume
from takopi.model import EngineId, ResumeToken

__all__ = ["ResumeWish", "UnknownEngine", "looks_like_id", "read_resume"]

# What stands between an engine and an id in the lines of most engines.
_LINE_WORDS = frozenset(("resume", "--resume", "-r", "--session", "-s"))
_LONGEST_LINE = 5
_WORD = re.compile(r"\S+")
_ID = re.compile(r"[A-Za-z0-9_./~](?=\S*\d)[A-Za-z0-9_.:@=+/~#%,-]{7,499}")


class ResumeWish(msgspec.Struct, frozen=True, kw_only=True):
    """Be what was named.

    Args:
        session: The session, of a resume line; None for none.
        engine: The engine that was named beside an id.
        value: The id, without a line.
        prompt: What is to be asked there at once.
    """

    session: ResumeToken | None = None
    engine: EngineId | None = None
    value: str = ""
    prompt: str = ""


class UnknownEngine(msgspec.Struct, frozen=True):
    """Name an engine that nobody knows."""

    word: str


def looks_like_id(word: str) -> bool:
    """Tell an id from a word of a prompt: ids of sessions are long and have digits in them."""
    return _ID.fullmatch(word) is not None


def read_resume(text: str, table: RouteTable) -> ResumeWish | UnknownEngine:
    """Read the words behind the command.

    Args:
        text: What was written behind it.
        table: What is known in the chat.
    """
    text = text.strip()
    words = list(_WORD.finditer(text.partition("\n")[0]))
    for number in range(2, min(_LONGEST_LINE, len(words)) + 1):
        end = words[number - 1].end()
        session = _of_line(text[:end], table.codecs)
        if session is not None:
            return ResumeWish(session=session, prompt=text[end:].strip())
    session = last_resume(text, table.codecs)
    if session is not None:
        prompt = without_resume(text, session, table.codecs)
        return ResumeWish(session=session, prompt=prompt)
    return _bare(text, [word[0] for word in words], table)


def _bare(text: str, words: Sequence[str], table: RouteTable) -> ResumeWish | UnknownEngine:
    if not words:
        return ResumeWish()
    first = words[0].strip("`")
    engine = first.removeprefix("/").lower()
    line = len(words) > 1 and words[1] in _LINE_WORDS
    if engine in table.engines:
        named = words[2:] if line else words[1:]
        value = named[0].strip("`") if named else ""
        skipped = 2 if line else 1
        return ResumeWish(engine=engine, value=value, prompt=_behind(text, skipped + 1))
    if line or first.startswith("/"):
        return UnknownEngine(first.removeprefix("/"))
    return ResumeWish(value=first, prompt=_behind(text, 1))


def _behind(text: str, count: int) -> str:
    """Return what stands behind the first words of a text."""
    words = list(_WORD.finditer(text))
    return text[words[count - 1].end() :].strip() if len(words) >= count else ""


def _of_line(line: str, codecs: Sequence[ResumeCodec]) -> ResumeToken | None:
    return last_resume(line, codecs)
