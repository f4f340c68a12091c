"""What is known about a topic, a chat or a project beyond the turns that were asked there."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from takopi.core.budget import Crossing
from takopi.core.preferences import NOTHING_CHOSEN, Preferences
from takopi.model import EngineId, ResumeToken

__all__ = ["PlaceRecord", "SessionPoint", "session_key", "with_session_point"]

# A place that saw very many branches forgets where the oldest of them began anew.
_MOST_POINTS = 200


class SessionPoint(msgspec.Struct, frozen=True):
    """Say from when on sessions of a place count, and which one was taken up there by hand.

    Args:
        since: Unix seconds; turns that were accepted before do not count any more.
        session: What `/resume` or a button took up at that moment; None after `/new`.
        after: The message that said so; 0 for a button. All that comes in one answer of the service
            is accepted at one moment, and the numbers of messages then tell what came after it.
    """

    since: float
    session: ResumeToken | None = None
    after: int = 0

    def counts(self, accepted_at: float, newest_message: int, *, here: bool = True) -> bool:
        """Tell whether a turn counts still.

        The numbers of messages only grow, and a clock may be set back.

        Args:
            accepted_at: When it was accepted, unix seconds.
            newest_message: The greatest number of the messages that made it; 0 for none.
            here: Whether those are numbers of the same chat; a group that moves counts anew.
        """
        later = newest_message > self.after
        if accepted_at == self.since:
            return later
        return accepted_at > self.since or (here and later and self.after > 0)


class PlaceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Be what is known about a topic, a chat or a project beyond its turns.

    Args:
        key: `scope_key`, `chat_key` or `project_key` of core/preferences, or `BUDGET_KEY`.
        project: Alias of the project that prompts here belong to; None for what holds around it.
        branch: Branch that goes with the project.
        preferences: What was chosen here.
        sessions: Where sessions begin anew, by `session_key`.
        topic: Name that takopi gave the topic; empty for what is no topic or was named by others.
        topic_auto: Whether takopi made the topic for one session and may rename it once.
        gone: Whether the topic was deleted.
        unnamed: Whether its name says nothing yet, so that takopi may give it one.
        former_chat: The id that a group had before it moved; None for any other place.
        budget_told: Which mark of a day's budget was told, by `mark_key`.
    """

    key: str
    project: str | None = None
    branch: str | None = None
    preferences: Preferences = NOTHING_CHOSEN
    sessions: Mapping[str, SessionPoint] = {}
    topic: str = ""
    topic_auto: bool = False
    gone: bool = False
    unnamed: bool = False
    former_chat: int | None = None
    budget_told: Mapping[str, Crossing] = {}


def with_session_point(place: PlaceRecord, key: str, point: SessionPoint) -> PlaceRecord:
    """Let a session of a place begin anew.

    Args:
        place: The place.
        key: Which session, by `session_key`.
        point: From when on, and with what.
    """
    points = {**place.sessions, key: point}
    newest = sorted(points, key=lambda known: points[known].since, reverse=True)[:_MOST_POINTS]
    kept = {known: points[known] for known in points if known in newest or known == key}
    return replace(place, sessions=kept)


def session_key(project: str | None, branch: str | None, engine: EngineId) -> str:
    """Name the one session that goes on by itself in a place.

    Sessions of different projects, branches or engines never mix, so each has its own.
    """
    # No branch has a newline in its name.
    return "\n".join((project or "", branch or "", engine))
