"""Prompts that are asked at certain times."""

import msgspec

from takopi.core.chat import ChatKind, Scope
from takopi.model import EngineId

__all__ = ["ScheduleRecord"]


class ScheduleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Be a prompt that is asked at certain times.

    Args:
        schedule_id: Names it in button data; at most 16 characters of `[a-z0-9]`.
        scope: Where it asks.
        chat_kind: Decides the budget of its messages.
        person: Who made it.
        when: As it was written: a cron line, an interval, a time.
        prompt: What is asked, with its directives, as if the person sent it.
        project: Project that it is bound to.
        branch: Branch that it is bound to.
        engine: Engine that it is bound to; None for what holds at the time.
        next_at: When it asks next, unix seconds; None when it will not any more.
        last_at: When it asked last.
        paused: Whether it rests until a person lets it go on.
        made_at: When it was made.
        message_id: The message that made it.
    """

    schedule_id: str
    scope: Scope
    chat_kind: ChatKind
    person: int | None
    when: str
    prompt: str
    project: str | None = None
    branch: str | None = None
    engine: EngineId | None = None
    next_at: float | None = None
    last_at: float | None = None
    paused: bool = False
    made_at: float = 0.0
    message_id: int = 0
