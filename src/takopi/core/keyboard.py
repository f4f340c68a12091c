"""From the bytes of a terminal to keys, and what keys do to a line and to a menu."""

import codecs
import re
from typing import Literal, TypeAlias

import msgspec

__all__ = ["Key", "KeyDecoder", "KeyName", "Line", "edit", "move"]

KeyName: TypeAlias = Literal[
    "text",
    "paste",
    "enter",
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "backspace",
    "delete",
    "clear",
    "word",
    "leave",
]

PASTE_BEGINS = "\x1b[200~"
PASTE_ENDS = "\x1b[201~"

_CONTROLS: dict[str, KeyName] = {
    "\r": "enter",
    "\n": "enter",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x15": "clear",
    "\x17": "word",
    "\x01": "home",
    "\x05": "end",
    "\x10": "up",
    "\x0e": "down",
    "\x03": "leave",
    "\x04": "leave",
}
_SEQUENCES: dict[str, KeyName] = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "H": "home",
    "F": "end",
    "1~": "home",
    "7~": "home",
    "4~": "end",
    "8~": "end",
    "3~": "delete",
}
_SEQUENCE = re.compile(r"\x1b(?:\[([0-9;?]*[ -/]*[@-~])|O([A-Z]))")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*|O)?")


class Key(msgspec.Struct, frozen=True):
    """Be one key.

    Args:
        name: Which; `paste` is a whole text at once.
        text: What it writes.
    """

    name: KeyName
    text: str = ""


class KeyDecoder:
    """Read keys from bytes, however these are cut."""

    def __init__(self) -> None:
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[Key]:
        """Return the keys that are complete; the beginning of another one is kept."""
        self._rest += self._bytes.decode(data)
        keys: list[Key] = []
        while self._rest:
            taken, key = _first(self._rest)
            if not taken:
                break
            self._rest = self._rest[taken:]
            if key is not None:
                keys.append(key)
        return keys


def _first(text: str) -> tuple[int, Key | None]:
    """Return how much of the text the first key is, 0 for more than there is, and the key."""
    if text.startswith(PASTE_BEGINS):
        end = text.find(PASTE_ENDS)
        if end < 0:
            return 0, None
        return end + len(PASTE_ENDS), Key("paste", text[len(PASTE_BEGINS) : end])
    if text[0] == "\x1b":
        found = _SEQUENCE.match(text)
        if found:
            name = _SEQUENCES.get(found[1] or found[2])
            return found.end(), Key(name) if name else None
        # An Escape that begins nothing is left out; what follows counts.
        return (0 if _UNFINISHED.fullmatch(text) else 1), None
    if text[0] in _CONTROLS:
        return 1, Key(_CONTROLS[text[0]])
    return 1, Key("text", text[0]) if text[0].isprintable() else None


class Line(msgspec.Struct, frozen=True):
    """Hold a line that is being typed.

    Args:
        text: What stands there.
        cursor: Before which character the next one goes.
    """

    text: str = ""
    cursor: int = 0


def edit(line: Line, key: Key) -> Line:
    """Return the line after a key; one that does not edit changes nothing."""
    before, after = line.text[: line.cursor], line.text[line.cursor :]
    match key.name:
        case "text" | "paste":
            # Terminals paste line breaks as \r; without a space the words around would be one.
            spaced = re.sub(r"[\r\n\t]+", " ", key.text)
            before += "".join(char for char in spaced if char.isprintable())
        case "backspace":
            before = before[:-1]
        case "delete":
            after = after[1:]
        case "clear":
            before = ""
        case "word":
            before = re.sub(r"[^\s/]*[\s/]*$", "", before)
        case "left":
            before, after = before[:-1], before[-1:] + after
        case "right":
            before, after = before + after[:1], after[1:]
        case "home":
            before, after = "", before + after
        case "end":
            before, after = before + after, ""
    return Line(before + after, len(before))


def move(chosen: int, count: int, key: Key) -> int:
    """Return which line of a menu is chosen after a key.

    A number chooses and does not answer: whoever presses Enter after it answers one question.

    Args:
        chosen: From 0.
        count: How many lines there are.
    """
    if key.name in ("up", "down"):
        return (chosen + (1 if key.name == "down" else -1)) % count
    if key.name in ("home", "end"):
        return 0 if key.name == "home" else count - 1
    if key.name == "text" and key.text in "jk":
        return (chosen + (1 if key.text == "j" else -1)) % count
    if key.name == "text" and key.text in "123456789" and int(key.text) <= count:
        return int(key.text) - 1
    return chosen
