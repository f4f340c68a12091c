"""Read a line into a struct even when some of its fields are not what they used to be.

Engines change their output without notice. A struct declares what is used and gives every field a
default; a field of a wrong type then costs that field, never the line.
"""

from collections.abc import Callable
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

__all__ = ["salvage", "salvaging_decoder"]

T = TypeVar("T", bound=msgspec.Struct)

_decode_any = msgspec.json.Decoder().decode


def salvage(kind: type[T], value: Any) -> T:
    """Make a struct of the fields of `value` that fit; the others keep their defaults.

    Raises:
        msgspec.ValidationError: `value` is no JSON object.
    """
    if not isinstance(value, dict):
        raise msgspec.ValidationError(f"expected an object, found {type(value).__name__}")
    made = kind()
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in value:
            continue
        raw = value[field.encode_name]
        try:
            setattr(made, field.name, msgspec.convert(raw, field.type))
        except (msgspec.ValidationError, RecursionError):
            part = _salvage_part(field.type, raw)
            if part is not None:
                setattr(made, field.name, part)
    return made


def _salvage_part(declared: Any, raw: Any) -> Any:
    """Return what can be saved of a nested struct or a list of them; None when nothing can."""
    for kind in _alternatives(declared):
        if isinstance(raw, dict) and _is_struct(kind):
            return salvage(kind, raw)
        container = get_origin(kind)
        if isinstance(raw, list) and container in (list, tuple):
            item = get_args(kind)[0]
            if _is_struct(item):
                return container(salvage(item, one) for one in raw if isinstance(one, dict))
            return container(one for one in raw if isinstance(one, item))
    return None


def _alternatives(declared: Any) -> tuple[Any, ...]:
    return get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def salvaging_decoder(kind: type[T]) -> Callable[[bytes], T]:
    """Return a decoder that takes the fast way, and salvages when a field does not fit.

    The decoder raises `msgspec.DecodeError` for what is no JSON and `msgspec.ValidationError` for
    what is no object.
    """
    decode = msgspec.json.Decoder(kind).decode

    def decode_line(line: bytes) -> T:
        try:
            return decode(line)
        except msgspec.ValidationError:
            return salvage(kind, _decode_any(line))

    return decode_line
