"""What holds in a place of a chat, and why: the first of `PREFERENCE_PLACES` that says anything.

Models, levels and modes are words of one engine, so they are kept by engine: what was chosen for
one never reaches another.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Generic, Literal, TypeAlias, TypeVar

import msgspec

from takopi.core.chat import Scope
from takopi.model import EngineId

__all__ = [
    "NOTHING_CHOSEN",
    "PREFERENCE_PLACES",
    "Held",
    "Layer",
    "PreferenceSource",
    "Preferences",
    "RunChoices",
    "Trigger",
    "Verbosity",
    "chat_key",
    "choices_for",
    "held",
    "project_key",
    "scope_key",
]

Trigger: TypeAlias = Literal["all", "mentions"]
Verbosity: TypeAlias = Literal["quiet", "normal", "full"]
PreferenceSource: TypeAlias = Literal["topic", "chat", "project", "configuration"]

PREFERENCE_PLACES: Mapping[PreferenceSource, str] = MappingProxyType(
    {
        "topic": "what was chosen for the topic in which the prompt is written",
        "chat": "what was chosen for the whole chat",
        "project": "what was chosen for the project that the prompt runs in",
        "configuration": "`default_engine` of the project, then of the file; "
        "`transports.telegram.trigger` and `.verbose`; what the engine itself is told",
    }
)

_Value = TypeVar("_Value")


class Preferences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hold what was chosen in one place; None and missing entries leave it to the next place.

    Args:
        engine: Who answers prompts that name no engine.
        models: Model by engine.
        reasoning: Level of reasoning by engine.
        modes: Permission mode by engine.
        trigger: Which messages of a group count.
        verbosity: How much the messages of a turn show.
    """

    engine: EngineId | None = None
    models: Mapping[EngineId, str] = {}
    reasoning: Mapping[EngineId, str] = {}
    modes: Mapping[EngineId, str] = {}
    trigger: Trigger | None = None
    verbosity: Verbosity | None = None


NOTHING_CHOSEN = Preferences()


class Layer(msgspec.Struct, frozen=True):
    """Be one place where something may be chosen.

    Args:
        source: Which place, for whoever asks why.
        chosen: What was chosen there.
    """

    source: PreferenceSource
    chosen: Preferences


class Held(msgspec.Struct, Generic[_Value], frozen=True):
    """Be what holds, and the place that says so.

    Args:
        value: What holds.
        source: The place.
    """

    value: _Value
    source: PreferenceSource


class RunChoices(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Say how a run is to be started, beyond its engine; None leaves it to the engine.

    Args:
        model: Model.
        reasoning: Level of reasoning.
        mode: Permission mode.
    """

    model: str | None = None
    reasoning: str | None = None
    mode: str | None = None


def held(
    layers: Sequence[Layer], look: Callable[[Preferences], _Value | None]
) -> Held[_Value] | None:
    """Return what the first layer says that says anything; None when none does.

    Args:
        layers: The nearest place first.
        look: Reads one preference.
    """
    for layer in layers:
        found = look(layer.chosen)
        if found is not None:
            return Held(found, layer.source)
    return None


def choices_for(layers: Sequence[Layer], engine: EngineId) -> RunChoices:
    """Say how a run of an engine is to be started.

    Args:
        layers: The nearest place first.
        engine: Whose words are looked for.
    """
    model = held(layers, lambda chosen: chosen.models.get(engine))
    reasoning = held(layers, lambda chosen: chosen.reasoning.get(engine))
    mode = held(layers, lambda chosen: chosen.modes.get(engine))
    return RunChoices(
        model=None if model is None else model.value,
        reasoning=None if reasoning is None else reasoning.value,
        mode=None if mode is None else mode.value,
    )


def scope_key(scope: Scope) -> str:
    """Name a place in the journal: a topic, or a chat outside of topics."""
    key = chat_key(scope)
    return key if scope.thread_id is None else f"{key}:{scope.thread_id}"


def chat_key(scope: Scope) -> str:
    """Name the whole chat of a place in the journal."""
    return f"{scope.transport}:{scope.chat_id}"


def project_key(alias: str) -> str:
    """Name a project in the journal; no transport is called so."""
    return f"project:{alias.lower()}"
