"""Lines that are broken between words, and not inside of a command that is there to be copied."""

import re
import textwrap

__all__ = ["wrapped"]

# With what is glued to it, which goes with it to another line.
_COMMAND = re.compile(r"(?<!\S)(?:\S*?`[^`\n]+`)+\S*")
_NUMBER = re.compile(r"\s*[0-9]+\. ")
_BLANK = "\ue000"  # of private use: a blank at which no line is broken


def wrapped(text: str, columns: int) -> list[str]:
    """Break a text into lines.

    What stands between backquotes stays on one line where it fits on one. A word that is longer
    than a line is left to the terminal, which keeps it whole for whoever copies it.

    Args:
        text: Its own line breaks stay.
        columns: So wide is a line.
    """
    return [part for line in text.split("\n") for part in _broken(line, columns)]


def _broken(line: str, columns: int) -> list[str]:
    number = _NUMBER.match(line)
    indent = len(number[0]) if number else 0

    def keep(found: re.Match[str]) -> str:
        command = found[0]
        return command.replace(" ", _BLANK) if len(command) <= columns - indent else command

    parts = textwrap.wrap(
        _COMMAND.sub(keep, line),
        columns,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [part.replace(_BLANK, " ") for part in parts] or [""]
