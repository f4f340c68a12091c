"""Take secrets out of whatever is about to be written down.

Two nets, both used on every record: the values that are known to be secret (the configured token,
keys of the environment), and the shapes that secrets of this trade have. A record is walked before
it is encoded, because encoding may break a secret in two (`"` becomes `\\"`), and the encoded line
goes through once more, because an object's own text is only known then.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

__all__ = ["REDACTED", "Redactor", "secrets_of_environment"]

REDACTED = "[redacted]"

# A known value shorter than this would blank ordinary words out of every line.
MIN_SECRET_CHARS = 6
MAX_DEPTH = 8

# Every repetition that stands before a fixed character is bounded: an agent's output of a million
# digits or letters must not cost a million times a million steps.
SHAPES = re.compile(
    r"""
      [0-9]{1,20}(?::|%3[Aa])[A-Za-z0-9_-]{35,}          # a bot's token, also inside a URL
    | (?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{16,}              # keys of OpenAI, Anthropic and their kin
    | (?<![A-Za-z0-9])gh[oprsu]_[A-Za-z0-9]{20,}         # GitHub
    | (?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{20,}
    | (?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}              # Google
    | (?<![A-Za-z0-9])xox[abeprs]-[A-Za-z0-9-]{10,}      # Slack
    | (?<=[Bb]earer\ )[A-Za-z0-9._~+/=-]{8,}
    """,
    re.VERBOSE,
)
SECRET_NAMES = re.compile(
    r"(?:bot_?token|api_?key|authorization|passw(?:or)?d|secret)$", re.IGNORECASE
)
SECRET_VARIABLES = re.compile(r"(?:_API_KEY|_TOKEN|_SECRET|_PASSWORD|_ACCESS_KEY)$")


class Redactor:
    """Replace secrets by `[redacted]`.

    Args:
        secrets: Values that are known to be secret; those under 6 characters are passed over.
    """

    __slots__ = ("_known",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {
            form for secret in secrets if len(secret) >= MIN_SECRET_CHARS for form in _forms(secret)
        }
        # The longest first: a secret may contain another one.
        ordered = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """Return `text` without secrets."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        return SHAPES.sub(REDACTED, text)

    def value(self, value: Any) -> Any:
        """Return `value` as strings, numbers, lists and dicts without secrets.

        Whatever else it is made of becomes its `repr`, so that nothing escapes the search.
        """
        return self._walk(value, MAX_DEPTH)

    def _walk(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, (bool, float)):
            return value
        if isinstance(value, int):
            # A number can be a secret too, when the secret is made of digits.
            shown = self.text(str(value))
            return value if shown == str(value) else shown
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (bytes, bytearray)):
            return self.text(bytes(value).decode("utf-8", "replace"))
        if depth == 0:
            return self.text(repr(value))
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): REDACTED
                if isinstance(item, str) and item and SECRET_NAMES.search(str(key))
                else self._walk(item, depth - 1)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._walk(item, depth - 1) for item in value]
        return self.text(repr(value))


def _forms(secret: str) -> set[str]:
    """Return a secret as it looks once somebody has quoted it, for a log, in JSON or in a URL."""
    return {
        secret,
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe="", errors="replace"),
    }


def secrets_of_environment(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of variables whose names say that they are secret."""
    return tuple(
        value for name, value in environment.items() if value and SECRET_VARIABLES.search(name)
    )
