"""Decide about voice notes: which are taken, how they are named, what counts as words."""

import re
from dataclasses import dataclass

from takopi.core.clean import clean_text
from takopi.core.texts import tr

__all__ = [
    "NoteFacts",
    "VoiceLimits",
    "objection",
    "spoken_text",
    "upload_name",
    "upload_type",
    "wait_s",
]

_SUFFIXES = frozenset(
    {
        "aac", "aiff", "amr", "caf", "flac", "m4a", "mka", "mp3", "mp4", "mpeg", "mpga", "oga",
        "ogg", "opus", "wav", "webm", "wma",
    }
)  # fmt: skip
_SUFFIX_OF_TYPE = {
    "aac": "aac",
    "amr": "amr",
    "flac": "flac",
    "m4a": "m4a",
    "mp3": "mp3",
    "mp4": "mp4",
    "mpeg": "mp3",
    "ogg": "ogg",
    "opus": "ogg",
    "wav": "wav",
    "wave": "wav",
    "webm": "webm",
}
# Containers that hold sound though their type does not say so; mp4 is what round videos are.
_SOUNDING = frozenset({"application/ogg", "video/ogg", "video/mp4", "video/webm"})
_UNTOLD = frozenset({"", "application/octet-stream"})

_MB = 1024 * 1024
_ATTEMPTS = 4
_FIRST_WAIT_S = 1.0

_TYPE = re.compile(r"[a-z]{1,32}/[a-z0-9.+-]{1,64}")

# whisper.cpp prints a time before each line unless it is told not to.
_TIMES = re.compile(r"^\[[\d:.,]{5,20} *--> *[\d:.,]{5,20}\] *")
# What Whisper models write for silence, music and noise, in any language.
_NO_WORDS = re.compile(r"\[[^\[\]\n]{0,80}\]|\([^()\n]{0,80}\)|\*[^*\n]{0,80}\*|[♪♫🎵]")


@dataclass(frozen=True, slots=True)
class VoiceLimits:
    """Say which voice notes are taken.

    Args:
        max_mb: Largest file, in MiB.
        max_minutes: Longest note.
    """

    max_mb: float = 20
    max_minutes: float = 30


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """Be what is known of a voice note before it is heard.

    Args:
        suffix: Of the file's name, with its dot.
        mime: Its type as the chat service named it.
        size_bytes: How large the file is.
        duration_s: Its length, where that is known.
    """

    suffix: str
    mime: str
    size_bytes: int
    duration_s: float | None


def objection(facts: NoteFacts, limits: VoiceLimits) -> str | None:
    """Say why a voice note is not even tried; None when it is."""
    if not _sounds(facts):
        return tr(
            "This is no voice note but a file of type {type}: send it as a file with a caption.",
            type=facts.mime or facts.suffix or "?",
        )
    if facts.size_bytes == 0:
        return tr("The voice note is empty: record it again, or write the prompt.")
    if facts.size_bytes > limits.max_mb * _MB:
        return tr(
            "The voice note has {size} MB, and {most} MB are the most: send it in parts, or write "
            "the prompt.",
            size=f"{facts.size_bytes / _MB:.1f}",
            most=f"{limits.max_mb:g}",
        )
    if facts.duration_s is not None and facts.duration_s > limits.max_minutes * 60:
        return tr(
            "The voice note lasts {length} minutes, and {most} are the most: send it in parts, or "
            "write the prompt.",
            length=f"{facts.duration_s / 60:.1f}",
            most=f"{limits.max_minutes:g}",
        )
    return None


def _sounds(facts: NoteFacts) -> bool:
    kind = _type(facts.mime)
    if kind in _UNTOLD:
        return facts.suffix.lower().lstrip(".") in _SUFFIXES
    return kind.startswith("audio/") or kind in _SOUNDING


def _type(mime: str) -> str:
    return mime.split(";")[0].strip().lower()


def upload_name(suffix: str, mime: str) -> str:
    """Name a file for a server that looks at names: Telegram's `.oga` is refused, `.ogg` is not.

    The person's own file name stays here.
    """
    ending = suffix.lower().lstrip(".")
    if ending not in _SUFFIXES:
        subtype = _type(mime).rpartition("/")[2].removeprefix("x-")
        ending = _SUFFIX_OF_TYPE.get(subtype, "ogg")
    return f"voice.{'ogg' if ending in {'oga', 'opus'} else ending}"


def upload_type(mime: str) -> str:
    """Return a type that may stand in a header."""
    kind = _type(mime)
    return kind if _TYPE.fullmatch(kind) else "application/octet-stream"


def spoken_text(raw: str) -> str:
    """Return the words of a transcript, empty when there are none.

    Lines are where a speaker paused, so they become one: only a blank line ends a paragraph.
    """
    paragraphs: list[list[str]] = [[]]
    for line in clean_text(raw).split("\n"):
        words = " ".join(_TIMES.sub("", line.strip()).split())
        if words:
            paragraphs[-1].append(words)
        else:
            paragraphs.append([])
    text = "\n\n".join(" ".join(lines) for lines in paragraphs if lines)
    return text if any(map(str.isalnum, _NO_WORDS.sub("", text))) else ""


def wait_s(attempt: int, retry_after_s: float | None, left_s: float) -> float | None:
    """Decide how long to wait before a request is made again; None ends the attempts.

    Args:
        attempt: How many were made.
        retry_after_s: What the server asked for.
        left_s: How much time there still is.
    """
    wait = _FIRST_WAIT_S * 2 ** (attempt - 1) if retry_after_s is None else retry_after_s
    return wait if attempt < _ATTEMPTS and wait < left_s else None
