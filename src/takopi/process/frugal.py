"""Do JSON and signals without the packages around them, for the holder.

`json` and `signal` import `re` and `enum`: 1.2 MB and 9 ms for each holder (Python 3.11, measured).
The C modules below them do all that is needed here. They are private, so each has a way back.
"""
# ruff: noqa: PTH104 (pathlib imports them, too)

import os

TYPE_CHECKING = False  # importing `typing` for it would cost more than all the rest
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping
else:
    try:
        import _signal as signal
    except ImportError:  # pragma: no cover - a Python built otherwise
        import signal

__all__ = ["decode_json", "encode_json", "signal", "write_atomically"]


class _Reading:
    """Be what the C scanner asks for: how `json.loads` reads by default."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: "dict[str, str]" = {}  # noqa: RUF012 - the scanner's own scratch space


def decode_json(text: str, *, frugal: bool = True) -> "dict[str, object]":
    """Return the JSON object that a text holds.

    Args:
        frugal: Use the C scanner where this Python has it.

    Raises:
        ValueError: The text is not one JSON object.
    """
    try:
        if not frugal:
            raise ImportError
        from _json import make_scanner

        value, _end = make_scanner(_Reading)(text.strip(), 0)  # type: ignore[arg-type]
    except ImportError:
        import json

        value = json.loads(text)
    except (StopIteration, SystemError):  # the latter while `json.decoder` is not imported
        raise ValueError("not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _encode_text(text: str) -> str:
    try:
        from _json import encode_basestring_ascii
    except ImportError:  # pragma: no cover - a Python built otherwise
        from json.encoder import encode_basestring_ascii
    return encode_basestring_ascii(text)


def encode_json(value: object) -> str:
    """Return the JSON text of a value made of dicts, lists, strings, numbers, booleans and None."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _encode_text(value)
    if isinstance(value, dict):
        pairs = (f"{_encode_text(key)}: {encode_json(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(encode_json, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def write_atomically(path: str, value: "Mapping[str, object]") -> None:
    """Write a JSON file (0600) in one step: a reader sees all of it or nothing."""
    draft = f"{path}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(encode_json(value) + "\n")
    os.rename(draft, path)
