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
from urllib.parse import quote, quote_plus

__all__ = ["REDACTED", "Redactor", "secrets_of_environment"]

REDACTED = "[redacted]"

# A known value shorter than this would blank ordinary words out of every line.
MIN_SECRET_CHARS = 6
MAX_DEPTH = 8

# Every repetition that stands before a fixed character is bounded: an agent's output of a million
# digits or letters must not cost a million times a million steps.
SHAPES = re.compile(
    r"""
      (?:(?<=/bot)|(?<=%2[Ff]bot))[0-9]{1,20}(?::|%3[Aa])[^\s/?\#"'\\]*  # a token, in a URL
    | [0-9]{1,20}(?::|%3[Aa])[A-Za-z0-9_-]{35,}          # a bot's token
    | (?<![0-9])[0-9]{8,11}(?::|%3[Aa])AA[A-Za-z0-9_-]{4,}    # one that was cut short
    | (?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{16,}              # keys of OpenAI, Anthropic and their kin
    | (?<![A-Za-z0-9])gh[oprsu]_[A-Za-z0-9]{20,}         # GitHub
    | (?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{20,}
    | (?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}              # Google
    | (?<![A-Za-z0-9])xox[abeprs]-[A-Za-z0-9-]{10,}      # Slack
    | (?<=[Bb]earer\ )[A-Za-z0-9._~+/=-]{8,}
    | (?<=://)[^\s/@:"'\[]{1,256}:[^\s/@"'\[]{1,256}(?=@)     # name and password of a proxy
    """,
    re.VERBOSE,
)
SECRET_NAMES = re.compile(
    r"(?:(?:bot|auth|access|refresh)[-_]?token|(?:api|access|private|secret)[-_]?key"
    r"|authorization|passw(?:or)?d|secret|credentials?)$",
    re.IGNORECASE,
)
SECRET_VARIABLES = re.compile(
    r"(?:^|_)(?:API_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|(?:ACCESS|PRIVATE|SECRET)_KEY)$"
)
BOT_TOKEN = re.compile(r"([0-9]{5,20}):([A-Za-z0-9_-]{16,})")


class Redactor:
    """Replace secrets by `[redacted]`.

    Args:
        secrets: Values that are known to be secret; those under 6 characters are passed over.
    """

    __slots__ = ("_known",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known: set[str] = set()
        patterns: set[str] = set()
        for secret in secrets:
            if len(secret) < MIN_SECRET_CHARS:
                continue
            known |= _forms(secret)
            token = BOT_TOKEN.fullmatch(secret)
            if token is not None:
                # Its second half alone is the secret; and with the bot's id before it, a token is
                # known that somebody has cut short.
                known.add(token[2])
                patterns.add(rf"(?<![0-9]){token[1]}(?::|%3[Aa])[A-Za-z0-9_-]+")
        # The longest first: a secret may contain another one.
        ordered = [*map(re.escape, sorted(known, key=len, reverse=True)), *sorted(patterns)]
        self._known = re.compile("|".join(ordered)) if ordered else None

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
            return self.text(_shown(value))
        if isinstance(value, Mapping):
            return {
                self.text(_shown(key)): self._entry(key, item, depth) for key, item in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._walk(item, depth - 1) for item in value]
        return self.text(_shown(value))

    def _entry(self, key: Any, item: Any, depth: int) -> Any:
        nothing = isinstance(item, (bool, str, bytes, type(None))) and (not item or item is True)
        if not nothing and SECRET_NAMES.search(_shown(key)):
            return REDACTED
        return self._walk(item, depth - 1)


def _shown(value: Any) -> str:
    """Return what an object says of itself; one that cannot says its kind."""
    try:
        return value if isinstance(value, str) else repr(value)
    except Exception as error:  # noqa: BLE001 - foreign code: a record must not become a failure
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"


def _forms(secret: str) -> set[str]:
    """Return a secret as it looks once somebody has quoted it, once or twice.

    For a log, in JSON, in a URL, as bytes; with the digits of a URL's escapes in both cases.
    """
    once = _quoted(secret)
    return {form for inner in once for form in _quoted(inner)}


def _quoted(secret: str) -> set[str]:
    encoded = secret.encode("utf-8", "surrogatepass")
    in_urls = {
        quote(secret, safe="", errors="replace"),
        quote(secret, safe="/", errors="replace"),
        quote(secret, safe=":/@", errors="replace"),
        quote_plus(secret, errors="replace"),
    }
    return {
        secret,
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        repr(encoded)[2:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        *in_urls,
        *(re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), form) for form in in_urls),
    }


def secrets_of_environment(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of variables whose names say that they are secret."""
    return tuple(
        value for name, value in environment.items() if value and SECRET_VARIABLES.search(name)
    )
