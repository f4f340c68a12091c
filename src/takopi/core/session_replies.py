"""What takopi says about sessions: those that are gone, begun anew, listed and taken up."""

from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.model import EngineId

__all__ = ["unknown_session_words"]

_SESSION_UNITS = 80
_WHY_UNITS = 400


def unknown_session_words(engine: EngineId, session: str, why: str) -> str:
    """Say in a final that a session is gone, and what the person can do.

    Args:
        engine: Who does not know it.
        session: Its id.
        why: What the engine said.
    """
    return tr(
        "{engine} does not know the session {session} any more, so nothing was done ({why}). Start "
        "anew sends the same prompt to a new session.",
        engine=engine,
        session=one_line(session, _SESSION_UNITS),
        why=one_line(why, _WHY_UNITS),
    )
