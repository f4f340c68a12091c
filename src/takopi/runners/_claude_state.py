"""Remember what later lines of a run of claude build on."""

from dataclasses import dataclass, field
from typing import Any

from takopi.events import EventFactory
from takopi.jsonl_fold import JsonlRunState
from takopi.model import Action, ActionEvent, ActionKind, ActionPhase, TakopiEvent
from takopi.runners._claude_plan import ClaudePlan
from takopi.runners._claude_tools import ToolCall
from takopi.runners._texts import first_line

__all__ = [
    "ENGINE",
    "ClaudeState",
    "HeldResult",
    "Streamed",
    "note",
    "once",
    "plan_event",
    "went_on",
]

ENGINE = "claude"
_TITLE_CHARS = 200


@dataclass
class Streamed:
    """Be text that is being written; the pieces are joined only when they are needed.

    Args:
        pieces: What came so far.
        size: How many characters that is.
        title: The first line, once there is one.
    """

    pieces: list[str] = field(default_factory=list)
    size: int = 0
    title: str = ""

    def take(self, piece: str) -> dict[str, Any]:
        """Add a piece and return the detail of its event."""
        detail = {"offset": self.size, "text": piece}
        self.pieces.append(piece)
        self.size += len(piece)
        if len(self.title) < _TITLE_CHARS:
            self.title = first_line(self.text() if self.size < 4 * _TITLE_CHARS else self.title)
        return detail

    def text(self) -> str:
        """Return all of it."""
        return "".join(self.pieces)


@dataclass
class HeldResult:
    """Be a result that is not the last word, as work goes on in the background.

    Args:
        answers: The answers so far, each of a turn of its own.
        error: Why the last turn failed, if it did.
        usage: The numbers so far.
    """

    answers: list[str] = field(default_factory=list)
    error: str = ""
    usage: dict[str, Any] = field(default_factory=dict)


@dataclass
class ClaudeState(JsonlRunState):
    """Remember what later lines of a run build on.

    Args:
        events: Makes the events.
        tools: Calls that have no result yet, by id.
        background: Calls that go on in the background, by id.
        stopped: What claude ended in the background, when it was done itself.
        tasks: Which call a background task belongs to.
        plan: The to-do list.
        permission_mode: What the session may do, as claude names it.
        answer: The latest whole message of the turn.
        command_output: What a slash command printed.
        api_error: Why the model's server failed, as claude put it.
        texts: How many messages there were; the number names the action.
        writing: The message that is being written, as far as it is; None between messages.
        thoughts: How many stretches of reasoning there were.
        thinking: The reasoning that is being written; None between stretches.
        retries: How many series of retries there were.
        retrying: Title of the retry that goes on.
        compacts: How many times the conversation was compacted.
        compacting: Whether that goes on.
        turns: How many turns claude began.
        results: How many results it gave.
        held: The results that were not the last word.
        told: What was said once and is not said again.
        cut: A result line that came in part.
    """

    events: EventFactory = field(default_factory=lambda: EventFactory(ENGINE))
    tools: dict[str, ToolCall] = field(default_factory=dict)
    background: dict[str, ToolCall] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    tasks: dict[str, str] = field(default_factory=dict)
    plan: ClaudePlan = field(default_factory=ClaudePlan)
    permission_mode: str = ""
    answer: str = ""
    command_output: str = ""
    api_error: str = ""
    texts: int = 0
    writing: Streamed | None = None
    thoughts: int = 0
    thinking: Streamed | None = None
    retries: int = 0
    retrying: str = ""
    compacts: int = 0
    compacting: bool = False
    turns: int = 0
    results: int = 0
    held: HeldResult | None = None
    told: set[str] = field(default_factory=set)
    cut: str = ""


def note(
    state: ClaudeState, title: str, *, warning: bool = False, action_id: str | None = None
) -> ActionEvent:
    """Make a note that is complete at once."""
    if action_id is None:
        state.note_seq += 1
        action_id = f"claude.note.{state.note_seq}"
    kind: ActionKind = "warning" if warning else "note"
    action = Action(action_id, kind, title)
    ok = None if warning else True
    return ActionEvent(ENGINE, action, "completed", ok, None, "warning" if warning else "info")


def once(state: ClaudeState, key: str, title: str, *, warning: bool = False) -> list[TakopiEvent]:
    """Make a note that a run shows once, however often its cause comes again."""
    if key in state.told:
        return []
    state.told.add(key)
    return [note(state, title, warning=warning, action_id=key)]


def plan_event(state: ClaudeState, phase: ActionPhase | None = None) -> ActionEvent:
    """Show the plan as it is now."""
    if phase is None:
        phase = "updated" if state.plan.shown else "started"
    state.plan.shown = phase != "completed"
    ok = True if phase == "completed" else None
    return ActionEvent(ENGINE, state.plan.action(), phase, ok)


def went_on(state: ClaudeState) -> list[TakopiEvent]:
    """Say that claude goes on after retries and reasoning."""
    out: list[TakopiEvent] = []
    if state.retrying:
        action = Action(f"retry.{state.retries}", "warning", state.retrying)
        out.append(ActionEvent(ENGINE, action, "completed", ok=True, level="warning"))
        state.retrying = ""
    if state.thinking is not None:
        text = state.thinking.text()
        detail = {"offset": 0, "text": text} if text else {}
        action = Action(f"thinking.{state.thoughts}", "thinking", "thinking", detail)
        out.append(ActionEvent(ENGINE, action, "completed", ok=True))
        state.thinking = None
    return out
