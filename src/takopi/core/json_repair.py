r"""Mend the two ways in which the JSON of real engines breaks.

A JavaScript engine that cuts a text in the middle of an emoji writes half of a surrogate pair as
an escape (``"\ud83d"``), which JSON.stringify allows and strict parsers refuse; a tool's output
may carry bytes that are no UTF-8. Neither may cost a line.
"""

import re

__all__ = ["repair_json"]

# An escape is real only after an even run of backslashes, hence the first alternative.
_ESCAPE = re.compile(
    r"\\[^u]"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def repair_json(line: bytes) -> bytes | None:
    """Return the line with lone surrogates and broken UTF-8 replaced; None when it has none."""
    text = line.decode("utf-8", "replace")
    mended = _ESCAPE.sub(lambda m: "\\ufffd" if m["lone"] else m[0], text).encode()
    return None if mended == line else mended
