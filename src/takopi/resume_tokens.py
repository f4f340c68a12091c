"""Write a session as a line that a person can run, and read it back from a text."""

import re

from takopi.core.session_ids import is_session_id
from takopi.core.texts import tr
from takopi.errors import UsageError
from takopi.model import EngineId, ResumeToken

__all__ = ["ResumeTokenMixin", "check_token"]


def check_token(engine: EngineId, token: ResumeToken) -> None:
    """Refuse a session that cannot be one of this engine.

    Raises:
        UsageError: The token is another engine's, or its value could be taken for an option.
    """
    if token.engine != engine:
        raise UsageError(
            tr(
                "session {session} belongs to {other}, not to {engine}; continue it with {other}, "
                "or start a new session with {engine}",
                session=token.value,
                other=token.engine,
                engine=engine,
            )
        )
    if not is_session_id(token.value):
        raise UsageError(
            tr(
                "{session} cannot be a session of {engine}; copy the id from a resume line",
                session=repr(token.value[:80]),
                engine=engine,
            )
        )


class ResumeTokenMixin:
    """Read and write resume lines by `resume_re`, whose group `token` is the session's id."""

    engine: EngineId
    resume_re: re.Pattern[str]

    def format_resume(self, token: ResumeToken) -> str:
        """Return the resume line of a session, as inline code.

        Raises:
            UsageError: The token belongs to another engine.
        """
        check_token(self.engine, token)
        return f"`{self.engine} resume {token.value}`"

    def extract_resume(self, text: str | None) -> ResumeToken | None:
        """Return the session that a text names; the last resume line in it wins."""
        if not text:
            return None
        found = None
        for match in self.resume_re.finditer(text):
            value = match.group("token")
            if value and is_session_id(value):
                found = value
        return None if found is None else ResumeToken(self.engine, found)

    def is_resume_line(self, line: str) -> bool:
        """Say whether a line is a resume line of this engine."""
        return self.resume_re.match(line) is not None
