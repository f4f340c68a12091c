"""The commands that choose how prompts are run: what they say, and what they write down.

Each has one word, `default` to take it back, and an optional place: `/model gpt-5 for project`.
Models, levels and modes are an engine's, and a first word may name another one than that which
holds: `/model claude opus`. `set` and `clear` may be written, as with `/ctx`: `/model set gpt-5`,
`/model clear`.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import msgspec
from msgspec.structs import replace

from takopi.core.preferences import Preferences, PreferenceSource, Trigger, Verbosity
from takopi.model import EngineId

__all__ = [
    "DEFAULT",
    "KINDS",
    "PLACES",
    "PreferenceKind",
    "PreferenceWish",
    "chosen_in",
    "is_of_engine",
    "plain_words",
    "read_wish",
    "with_choice",
    "word_of",
]

PreferenceKind: TypeAlias = Literal["agent", "model", "reasoning", "mode", "trigger", "verbose"]
KINDS: tuple[PreferenceKind, ...] = get_args(PreferenceKind)

DEFAULT = "default"
PLACES: tuple[PreferenceSource, ...] = ("topic", "chat", "project")

_OF_ENGINE: frozenset[PreferenceKind] = frozenset({"model", "reasoning", "mode"})
_MAX_MODEL = 200


class PreferenceWish(msgspec.Struct, frozen=True):
    """Be what somebody wants of a preference.

    Args:
        value: What is chosen; None to be shown what holds.
        place: Where; None for the nearest place.
        engine: The engine that was named; None for the one that holds.
    """

    value: str | None = None
    place: PreferenceSource | None = None
    engine: EngineId | None = None


def is_of_engine(kind: PreferenceKind) -> bool:
    """Tell whether the words of a preference are those of one engine."""
    return kind in _OF_ENGINE


def plain_words(kind: PreferenceKind) -> tuple[str, ...]:
    """List the words of a preference that are the same everywhere; none for the others."""
    if kind == "trigger":
        return get_args(Trigger)
    return get_args(Verbosity) if kind == "verbose" else ()


def read_wish(
    kind: PreferenceKind, args: str, engines: Sequence[EngineId]
) -> PreferenceWish | None:
    """Read what stands behind the command; None when it cannot be meant.

    Args:
        kind: The command.
        args: What stands behind it.
        engines: The engines that are known.
    """
    words = args.split()
    place: PreferenceSource | None = None
    if len(words) > 1 and words[-1].lower() in PLACES:
        place = next(known for known in PLACES if known == words[-1].lower())
        words = words[:-1]
        if words[-1].lower() == "for":
            words = words[:-1]
    verb, words = _take_verb(words)
    engine = None
    if is_of_engine(kind) and words and words[0].lower() in engines:
        engine, words = words[0].lower(), words[1:]
    if verb == "clear":
        return None if words else PreferenceWish(DEFAULT, place, engine)
    if len(words) > 1 or ((place is not None or verb) and not words):
        return None
    return PreferenceWish(words[0] if words else None, place, engine)


def _take_verb(words: list[str]) -> tuple[str, list[str]]:
    """Take `set` or `clear` from the front; an empty verb when there is none."""
    verb = words[0].lower() if words else ""
    return (verb, words[1:]) if verb in {"set", "clear"} else ("", words)


def word_of(kind: PreferenceKind, said: str, accepted: Sequence[str]) -> str | None:
    """Return what is written down for a word; None when it is not accepted.

    Args:
        kind: The command.
        said: The word.
        accepted: What is known. A model need not be among them: an engine may know more than it
            lists.
    """
    for known in accepted:
        if known == said:
            return known
    for known in accepted:
        if known.lower() == said.lower():
            return known
    # An engine would take what begins with a dash for an option.
    could_be = kind == "model" and not said.startswith("-") and said.isprintable()
    return said if could_be and len(said) <= _MAX_MODEL else None


def chosen_in(
    preferences: Preferences, kind: PreferenceKind, engine: EngineId | None
) -> str | None:
    """Return what a place says about a preference; None for nothing.

    Args:
        preferences: What was chosen there.
        kind: The preference.
        engine: Whose words are looked for, of models, levels and modes.
    """
    match kind:
        case "agent":
            return preferences.engine
        case "trigger":
            return preferences.trigger
        case "verbose":
            return preferences.verbosity
        case "model":
            return preferences.models.get(engine or "")
        case "reasoning":
            return preferences.reasoning.get(engine or "")
        case "mode":
            return preferences.modes.get(engine or "")


def with_choice(
    preferences: Preferences, kind: PreferenceKind, engine: EngineId, value: str | None
) -> Preferences:
    """Return preferences after a choice.

    Args:
        preferences: What was chosen there before.
        kind: The preference.
        engine: Whose it is, of models, levels and modes.
        value: What `word_of` returned; None takes the choice back.
    """
    match kind:
        case "agent":
            return replace(preferences, engine=value)
        case "trigger":
            return replace(preferences, trigger=value)
        case "verbose":
            return replace(preferences, verbosity=value)
        case "model":
            return replace(preferences, models=_put(preferences.models, engine, value))
        case "reasoning":
            return replace(preferences, reasoning=_put(preferences.reasoning, engine, value))
        case "mode":
            return replace(preferences, modes=_put(preferences.modes, engine, value))


def _put(
    known: Mapping[EngineId, str], engine: EngineId, value: str | None
) -> Mapping[EngineId, str]:
    others = {name: word for name, word in known.items() if name != engine}
    return others if value is None else {**others, engine: value}
