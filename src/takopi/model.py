"""The vocabulary: what an engine says, as frozen values.

There are three events and no more. Streamed text, reasoning, plans and asks are *actions* (or
`StartedEvent.meta`), so that a renderer or a plug-in written today keeps working tomorrow.

The values hold what came out of JSON, which has no cycles, so they are left out of garbage
collection: a long stream makes many of them, and each pass over them would cost more than they do.
"""

from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

__all__ = [
    "Action",
    "ActionEvent",
    "ActionKind",
    "ActionLevel",
    "ActionPhase",
    "CompletedEvent",
    "EngineId",
    "ResumeToken",
    "StartedEvent",
    "TakopiEvent",
]

EngineId: TypeAlias = str

ActionKind: TypeAlias = Literal[
    "command",
    "tool",
    "file_change",
    "web_search",
    "subagent",
    "note",
    "turn",
    "warning",
    "telemetry",
    "message",
    "thinking",
    "plan",
    "ask",
]
ActionPhase: TypeAlias = Literal["started", "updated", "completed"]
ActionLevel: TypeAlias = Literal["debug", "info", "warning", "error"]


class ResumeToken(msgspec.Struct, frozen=True, gc=False):
    """Name a session: the engine and the id that the engine itself gave it."""

    engine: EngineId
    value: str


class Action(msgspec.Struct, frozen=True, gc=False):
    """Describe one thing that the agent does.

    Args:
        id: Stable and unique within the run.
        kind: One of `ActionKind`; a renderer shows an unknown kind as a note.
        title: One line for a person; never truncated here, renderers shorten.
        detail: What the kind adds: `exit_code` and `output` (command), `changes` as a list of
            `{"path", "kind"}` (file_change), `items` as a list of `{"text", "status"}` with status
            `pending|in_progress|completed` (plan), `offset` and `text` (message).
    """

    id: str
    kind: ActionKind
    title: str
    detail: dict[str, Any] = {}


class StartedEvent(msgspec.Struct, frozen=True, gc=False, tag="started", tag_field="type"):
    """Report that the session is known; exactly one, before `CompletedEvent`."""

    engine: EngineId
    resume: ResumeToken
    title: str | None = None
    meta: dict[str, Any] | None = None

    type: ClassVar[Literal["started"]] = "started"


class ActionEvent(msgspec.Struct, frozen=True, gc=False, tag="action", tag_field="type"):
    """Report a phase of one action.

    Args:
        ok: How a completed action ended; None where that cannot be said.
        message: Free text that goes with the phase.
        level: Weight of a note or warning.
    """

    engine: EngineId
    action: Action
    phase: ActionPhase
    ok: bool | None = None
    message: str | None = None
    level: ActionLevel | None = None

    type: ClassVar[Literal["action"]] = "action"


class CompletedEvent(msgspec.Struct, frozen=True, gc=False, tag="completed", tag_field="type"):
    """Report the end of the turn; exactly one, always the last event.

    Args:
        answer: The whole final answer, Markdown; may be empty when `ok` is false.
        resume: Equals that of `StartedEvent`; None when no session became known.
        error: Why the turn failed, and what to do about it; None when `ok`.
        usage: Numbers of the turn. Standard keys: `input_tokens`, `cached_tokens`,
            `output_tokens`, `reasoning_tokens`, `cost_usd`, `model`, `duration_ms`, as
            `core.usage` explains them; others are the engine's own.
    """

    engine: EngineId
    ok: bool
    answer: str
    resume: ResumeToken | None = None
    error: str | None = None
    usage: dict[str, Any] | None = None

    type: ClassVar[Literal["completed"]] = "completed"


TakopiEvent: TypeAlias = StartedEvent | ActionEvent | CompletedEvent
