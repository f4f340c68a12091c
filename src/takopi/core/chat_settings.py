"""What the configuration says about chats, before anything was chosen in one."""

from datetime import UTC, tzinfo
from typing import Literal, TypeAlias

import msgspec

from takopi.core.budget import NO_BUDGET, Budget
from takopi.core.preferences import Preferences, Trigger, Verbosity
from takopi.core.projects import Projects
from takopi.core.topics import NO_TOPICS, TopicRules
from takopi.model import EngineId

__all__ = ["PLAIN_CHATS", "ChatSettings", "SessionMode"]

SessionMode: TypeAlias = Literal["stateless", "chat"]


class ChatSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what holds where nothing else was chosen.

    Args:
        projects: What can be named.
        default_project: Where prompts run that name no project; None for `work_dir`.
        session_mode: Whether a prompt that replies to nothing starts a session, or goes on with the
            last one of its place.
        trigger: Which messages of a group count.
        verbosity: How much the messages of a turn show.
        zone: Of the clock that people mean when they name a time.
        budget: What may be spent.
        topics: In which chats topics are used.
        absent: Commands that there is nothing for in this chat service, so that help leaves them
            out.
        replies: Whether a message can answer another one.
        begun_here: Whether prompts without a project run where takopi was started, whatever
            `work_dir` says.
    """

    projects: Projects = Projects()
    default_project: str | None = None
    session_mode: SessionMode = "stateless"
    trigger: Trigger = "all"
    verbosity: Verbosity = "normal"
    zone: tzinfo = UTC
    budget: Budget = NO_BUDGET
    topics: TopicRules = NO_TOPICS
    absent: tuple[str, ...] = ()
    replies: bool = True
    begun_here: bool = False

    def preferences(self, default_engine: EngineId) -> Preferences:
        """Write it as what was chosen in the configuration."""
        return Preferences(engine=default_engine, trigger=self.trigger, verbosity=self.verbosity)


PLAIN_CHATS = ChatSettings()
"""What holds without any configuration."""
