"""What is known about a topic, a chat or a project beyond the turns that were asked there."""

from collections.abc import Mapping

import msgspec

from takopi.core.preferences import NOTHING_CHOSEN, Preferences
from takopi.model import EngineId, ResumeToken

__all__ = ["PlaceRecord", "SessionPoint", "session_key"]


class SessionPoint(msgspec.Struct, frozen=True):
    """Say from when on sessions of a place count, and which one was taken up there by hand.

    Args:
        since: Unix seconds; turns that were accepted before do not count any more.
        session: What `/resume` or a button took up at that moment; None after `/new`.
    """

    since: float
    session: ResumeToken | None = None


class PlaceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Be what is known about a topic, a chat or a project beyond its turns.

    Args:
        key: `scope_key`, `chat_key` or `project_key` of core/preferences.
        project: Alias of the project that prompts here belong to; None for what holds around it.
        branch: Branch that goes with the project.
        preferences: What was chosen here.
        sessions: Where sessions begin anew, by `session_key`.
        topic: Name that takopi gave the topic; empty for what is no topic or was named by others.
        topic_auto: Whether takopi made the topic for one session and may rename it once.
        gone: Whether the topic was deleted.
    """

    key: str
    project: str | None = None
    branch: str | None = None
    preferences: Preferences = NOTHING_CHOSEN
    sessions: Mapping[str, SessionPoint] = {}
    topic: str = ""
    topic_auto: bool = False
    gone: bool = False


def session_key(project: str | None, branch: str | None, engine: EngineId) -> str:
    """Name the one session that goes on by itself in a place.

    Sessions of different projects, branches or engines never mix, so each has its own.
    """
    # No branch has a newline in its name.
    return "\n".join((project or "", branch or "", engine))
