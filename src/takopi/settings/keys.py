"""Every key of the configuration, described once.

Reading (`takopi.settings`), `takopi config`, the doctor's advice and the tests of
`config.example.toml` and `docs/reference/config.md` all go by this table.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from takopi.settings.former import FORMER_TABLES
from takopi.settings.key_table import (
    APPROVALS,
    BUDGET,
    FILES,
    KEYS,
    PLUGINS,
    PROJECT,
    TELEGRAM,
    TOKEN_VARIABLE,
    TOPICS,
    VOICE,
    KeySpec,
)
from takopi.settings.kinds import KeyKind, accept

__all__ = [
    "APPROVALS",
    "BUDGET",
    "FILES",
    "KEYS",
    "PLUGINS",
    "PROJECT",
    "TELEGRAM",
    "TOKEN_VARIABLE",
    "TOPICS",
    "VOICE",
    "KeyKind",
    "KeySpec",
    "accept",
    "key_inside",
    "known_key",
    "near_key",
    "nearest",
    "unknown_keys",
]


def known_key(name: str) -> KeySpec | None:
    """Return what is known about a dotted key, or None."""
    parts = name.split(".")
    for spec in KEYS:
        if len(spec.name.split(".")) == len(parts) and _begins(spec, parts):
            return spec
    return None


def unknown_keys(document: Mapping[str, Any], engines: Iterable[str]) -> tuple[str, ...]:
    """Return dotted keys that nothing reads; the tables of `engines` are their own matter."""
    tables = set(engines)
    found: list[str] = []

    def walk(table: Mapping[str, Any], prefix: str) -> None:
        for key, value in table.items():
            name = prefix + key
            if not prefix and key in tables:
                continue
            if known_key(name) is not None or _is_foreign_transport(name):
                continue
            if isinstance(value, Mapping) and (key_inside(name) or name in FORMER_TABLES):
                walk(value, name + ".")
            else:
                found.append(name)

    walk(document, "")
    return tuple(found)


def _is_foreign_transport(name: str) -> bool:
    """Tell whether a table is that of a chat service which a package may bring."""
    first, _, transport = name.partition(".")
    return first == "transports" and transport not in ("", "telegram") and "." not in transport


def key_inside(name: str) -> str | None:
    """Return a key of a table that takopi knows, as an example; None for any other name."""
    parts = name.split(".")
    for spec in KEYS:
        rest = spec.name.split(".")[len(parts) :]
        if rest and _begins(spec, parts):
            return ".".join([*parts, *("NAME" if part == "*" else part for part in rest)])
    return None


def _begins(spec: KeySpec, parts: Sequence[str]) -> bool:
    wanted = spec.name.split(".")
    return all(w in ("*", p) for w, p in zip(wanted, parts, strict=False))


def near_key(name: str, engines: Iterable[str] = ()) -> str | None:
    """Return the key, or the engine's table, that an unknown key was probably meant to be."""
    parts = name.split(".")
    candidates = [*engines]
    for spec in KEYS:
        wanted = spec.name.split(".")
        if len(wanted) == len(parts) and wanted[-1] != "*":
            # What stands for any name is the person's own, and so is right as it is.
            candidates.append(
                ".".join(p if w == "*" else w for w, p in zip(wanted, parts, strict=True))
            )
        elif "*" not in spec.name:
            candidates.append(spec.name)
    return nearest(name, candidates)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` was probably meant to be, or None."""
    candidates = [spec for spec in known if "*" not in spec]
    found = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    if found:
        return found[0]
    # A key in the wrong table: the last part says what was meant.
    last = name.rpartition(".")[2]
    return next((item for item in candidates if item.rpartition(".")[2] == last), None)
