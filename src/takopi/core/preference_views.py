"""What is said about a preference, before it is words or buttons."""

import msgspec

from takopi.core.missing_engines import MissingEngine
from takopi.core.preference_choices import PreferenceKind
from takopi.core.preferences import Held, PreferenceSource
from takopi.core.texts import tr
from takopi.model import EngineId

__all__ = ["LayerLine", "PreferenceChange", "PreferenceView", "place_name"]


class LayerLine(msgspec.Struct, frozen=True):
    """Be one place where a preference may be chosen, and what was chosen there, if anything."""

    source: PreferenceSource
    value: str | None


class PreferenceView(msgspec.Struct, frozen=True, kw_only=True):
    """Be what is to be said about one preference.

    Args:
        kind: Which.
        engine: Whose words it has, of models, levels and modes; else the engine that holds.
        lines: The places, the nearest first.
        project: The project that holds here.
        accepted: What can be chosen, as far as it is known.
        private: Whether it is asked in a private chat.
        unlisted: Whether an engine should have listed what can be chosen, and did not.
        change: What was just done; None for nothing.
        missing: Engines that are known and cannot run here, so that they are no choice.
        page: Which of the choices the buttons show, from 0; None for those with what holds.
    """

    kind: PreferenceKind
    engine: EngineId
    lines: tuple[LayerLine, ...]
    project: str | None = None
    accepted: tuple[str, ...] = ()
    private: bool = False
    unlisted: bool = False
    change: "PreferenceChange | None" = None
    missing: tuple[MissingEngine, ...] = ()
    page: int | None = None

    @property
    def held(self) -> Held[str] | None:
        """Give what holds, and the place that says so."""
        for line in self.lines:
            if line.value is not None:
                return Held(line.value, line.source)
        return None


class PreferenceChange(msgspec.Struct, frozen=True):
    """Be a choice that was just made.

    Args:
        value: What was chosen; None when it was taken back.
        place: Where.
        nearest: Whether that is the place that buttons choose for.
    """

    value: str | None
    place: PreferenceSource
    nearest: bool = True


def place_name(source: PreferenceSource, project: str | None) -> str:
    """Name a place where something may be chosen."""
    match source:
        case "topic":
            return tr("this topic")
        case "chat":
            return tr("this chat")
        case "project":
            return tr("project {name}", name=project or "")
        case "configuration":
            return tr("configuration")
