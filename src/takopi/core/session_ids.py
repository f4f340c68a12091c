"""Know what can be the id of a session."""

import re

__all__ = ["is_session_id"]

# An id ends up in an argv: it must not look like an option, nor hide anything from a reader.
_SAFE = re.compile(r"[A-Za-z0-9_./~][A-Za-z0-9_.:@=+/~#%,-]{0,499}")


def is_session_id(value: str) -> bool:
    """Say whether a text can be typed on a command line as the id of a session."""
    return _SAFE.fullmatch(value) is not None
