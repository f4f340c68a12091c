"""What a person sees of a running turn, as a fold over its events.

`advance` is pure: the same events give the same state, whether they come live or from a replayed
file, and an event that comes twice changes nothing the second time. The state stays small however
long the turn is: the actions on screen, the ids of the last ones (so that none is counted twice),
the plan, and the text that is being written.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from takopi.core.shorten import one_line
from takopi.model import (
    ActionEvent,
    ActionPhase,
    CompletedEvent,
    EngineId,
    ResumeToken,
    StartedEvent,
    TakopiEvent,
)

__all__ = [
    "MAX_SHOWN",
    "SESSION_WAIT",
    "STEP_KINDS",
    "PlanItem",
    "ProgressState",
    "ShownAction",
    "ShownChange",
    "ShownWarning",
    "StreamedText",
    "advance",
    "in_brief",
    "shown_action",
    "start_progress",
]

# Kinds that a person would count as the agent doing something.
STEP_KINDS = frozenset({"command", "tool", "file_change", "web_search", "subagent"})
SESSION_WAIT = "takopi.session"
"""The action of a turn that waits for another takopi to let its session go."""

_UNSEEN_KINDS = frozenset({"telemetry", "turn"})

MAX_SHOWN = 5
MAX_WARNINGS = 3
MAX_ASKS = 64
MAX_PLAN_ITEMS = 50
MAX_CHANGES = 8

# An action that is heard of again after so many others counts once more.
MAX_KNOWN = 256

_LONGEST_GAP = 10_000
_TITLE_UNITS = 400
_MESSAGE_UNITS = 200
_PATH_CHARS = 1_000

PlanStatus: TypeAlias = Literal["pending", "in_progress", "completed"]
Focus: TypeAlias = Literal["nothing", "thinking", "message"]


class ShownChange(msgspec.Struct, frozen=True):
    """Be one changed file; `mark` is `+`, `~` or `-`."""

    path: str
    mark: Literal["+", "~", "-"]


class ShownAction(msgspec.Struct, frozen=True, kw_only=True):
    """Be an action as it stands on screen.

    Args:
        title: One line.
        changes: The first files of a file change.
        more_changes: How many files are not in `changes`.
        message: One line about the phase.
    """

    id: str
    kind: str
    title: str
    phase: ActionPhase
    ok: bool | None = None
    exit_code: int | None = None
    changes: tuple[ShownChange, ...] = ()
    more_changes: int = 0
    message: str = ""


class PlanItem(msgspec.Struct, frozen=True):
    """Be one item of the agent's plan."""

    text: str
    status: PlanStatus


class ShownWarning(msgspec.Struct, frozen=True):
    """Be a warning that still stands."""

    id: str
    text: str


class StreamedText(msgspec.Struct, frozen=True):
    """Be text that arrives in pieces; `id` is its action's."""

    id: str
    text: str


class ProgressState(msgspec.Struct, frozen=True, kw_only=True):
    """Be all that is known of a running turn.

    Args:
        engine: The engine that runs it.
        resume: The session, once known.
        title: What the engine calls the session.
        steps: How many things the agent did or is doing.
        recent: Actions on screen, in order of first appearance.
        known: Ids of the last actions, in order of first appearance.
        plan: Items of the latest plan.
        thinking: The latest reasoning.
        message: The latest message, whole: the answer as far as it is written.
        focus: Which of the two is being written; `nothing` while an action runs.
        warnings: Those that still stand.
        asks: Ids of what the agent wants to hear from a person, on screen or not.
        ended: The last event has come.
    """

    engine: EngineId
    resume: ResumeToken | None = None
    title: str = ""
    steps: int = 0
    recent: tuple[ShownAction, ...] = ()
    known: tuple[str, ...] = ()
    plan: tuple[PlanItem, ...] = ()
    thinking: StreamedText | None = None
    message: StreamedText | None = None
    focus: Focus = "nothing"
    warnings: tuple[ShownWarning, ...] = ()
    asks: tuple[str, ...] = ()
    ended: bool = False

    @property
    def waits_for_others(self) -> bool:
        """Tell whether silence has a reason: a person is asked, or the session is held."""
        return bool(self.asks)

    @property
    def partial_answer(self) -> str:
        """Give what was written of the answer, for a turn that ends without one."""
        return self.message.text if self.message is not None else ""


def start_progress(engine: EngineId) -> ProgressState:
    """Return the state of a turn of which nothing was heard yet."""
    return ProgressState(engine=engine)


def in_brief(state: ProgressState) -> ProgressState:
    """Return what the first line of a progress message needs, and nothing more."""
    return ProgressState(engine=state.engine, steps=state.steps)


def advance(state: ProgressState, event: TakopiEvent) -> ProgressState:
    """Return the state after one more event."""
    if isinstance(event, ActionEvent):
        return _advance_action(state, event)
    if isinstance(event, StartedEvent):
        title = one_line(event.title or "", _TITLE_UNITS)
        return msgspec.structs.replace(state, resume=event.resume, title=title)
    assert isinstance(event, CompletedEvent)
    return msgspec.structs.replace(state, resume=event.resume or state.resume, ended=True)


def _advance_action(state: ProgressState, event: ActionEvent) -> ProgressState:
    kind = event.action.kind
    if kind == "thinking":
        text = _streamed(state.thinking, event)
        return msgspec.structs.replace(state, thinking=text, focus="thinking")
    if kind == "message":
        text = _streamed(state.message, event)
        return msgspec.structs.replace(state, message=text, focus="message")
    if kind == "plan":
        return msgspec.structs.replace(state, plan=_plan_items(event.action.detail))
    if kind == "ask" or event.action.id == SESSION_WAIT:
        state = msgspec.structs.replace(state, asks=_asks(state.asks, event))
    if kind in _UNSEEN_KINDS or event.level == "debug":
        return state
    if kind == "warning" or (kind not in STEP_KINDS and event.level in {"warning", "error"}):
        return msgspec.structs.replace(state, warnings=_warnings(state.warnings, event))
    return _advance_shown(state, event)


def _asks(old: tuple[str, ...], event: ActionEvent) -> tuple[str, ...]:
    id_ = event.action.id
    others = tuple(ask for ask in old if ask != id_)
    return others if event.phase == "completed" else (*others, id_)[-MAX_ASKS:]


def _streamed(old: StreamedText | None, event: ActionEvent) -> StreamedText:
    """Put a piece in its place, so that a piece that comes twice changes nothing."""
    detail = event.action.detail
    text, offset = detail.get("text"), detail.get("offset")
    before = old.text if old is not None and old.id == event.action.id else ""
    if not isinstance(text, str):
        # A runner without streaming may say it all in the title.
        return StreamedText(event.action.id, before or event.action.title)
    if not isinstance(offset, int) or offset < 0:
        return StreamedText(event.action.id, text)
    if offset > len(before) + _LONGEST_GAP:
        return StreamedText(event.action.id, before)
    # A piece that never came leaves blanks, so that those around it keep their places.
    before = before.ljust(offset)
    whole = before[:offset] + text + before[offset + len(text) :]
    return StreamedText(event.action.id, whole)


def _plan_items(detail: Mapping[str, Any]) -> tuple[PlanItem, ...]:
    items = detail.get("items")
    if not isinstance(items, list):
        return ()
    return tuple(_plan_item(item) for item in items[:MAX_PLAN_ITEMS])


def _plan_item(item: object) -> PlanItem:
    if not isinstance(item, dict):
        return PlanItem(one_line(str(item), _MESSAGE_UNITS), "pending")
    status = item.get("status")
    known: PlanStatus = status if status in ("in_progress", "completed") else "pending"
    return PlanItem(one_line(str(item.get("text", "")), _MESSAGE_UNITS), known)


def _warnings(old: tuple[ShownWarning, ...], event: ActionEvent) -> tuple[ShownWarning, ...]:
    """Show a warning, change it in place, or drop it once it came to a good end."""
    id_ = event.action.id
    if event.phase == "completed" and event.ok:
        return tuple(warning for warning in old if warning.id != id_)
    words = event.action.title
    if event.message and event.message not in words:
        words = f"{words}: {event.message}" if words else event.message
    new = ShownWarning(id_, one_line(words, _MESSAGE_UNITS))
    if any(warning.id == id_ for warning in old):
        return tuple(new if warning.id == id_ else warning for warning in old)
    return (*old, new)[-MAX_WARNINGS:]


def _advance_shown(state: ProgressState, event: ActionEvent) -> ProgressState:
    id_ = event.action.id
    place = next((n for n, action in enumerate(state.recent) if action.id == id_), None)
    if place is not None:
        changed = shown_action(event, state.recent[place])
        recent = (*state.recent[:place], changed, *state.recent[place + 1 :])
        return msgspec.structs.replace(state, recent=recent)
    action = shown_action(event, None)
    if id_ in state.known:
        # It had to give way. It comes back to its place while it runs; that it ended is no news.
        if event.phase == "completed":
            return state
        return msgspec.structs.replace(state, recent=_return(state, action))
    step = action.kind in STEP_KINDS
    return msgspec.structs.replace(
        state,
        steps=state.steps + step,
        recent=_trim((*state.recent, action)),
        known=(*state.known, id_)[-MAX_KNOWN:],
        focus="nothing" if step else state.focus,
    )


def _return(state: ProgressState, action: ShownAction) -> tuple[ShownAction, ...]:
    """Put an action that was shown before where it stood in the order of first appearance."""
    rank = {id_: n for n, id_ in enumerate(state.known)}
    later = (n for n, shown in enumerate(state.recent) if rank.get(shown.id, -1) > rank[action.id])
    place = next(later, len(state.recent))
    return _trim((*state.recent[:place], action, *state.recent[place:]))


def _trim(actions: tuple[ShownAction, ...]) -> tuple[ShownAction, ...]:
    """Keep what fits the screen: what still runs, and the newest in any case."""
    if len(actions) <= MAX_SHOWN:
        return actions
    ended = (n for n, action in enumerate(actions[:-1]) if action.phase == "completed")
    gone = next(ended, 0)
    return (*actions[:gone], *actions[gone + 1 :])


def shown_action(event: ActionEvent, before: ShownAction | None) -> ShownAction:
    """Take from an event what the screen needs; what it leaves out stays as it was."""
    action = event.action
    exit_code = action.detail.get("exit_code")
    if not isinstance(exit_code, int):
        exit_code = before.exit_code if before is not None else None
    changes, more = _changes(action.detail.get("changes"))
    if before is not None and not changes:
        changes, more = before.changes, before.more_changes
    title = one_line(action.title, _TITLE_UNITS)
    return ShownAction(
        id=action.id,
        kind=action.kind,
        title=title or (before.title if before is not None else ""),
        phase=event.phase,
        ok=event.ok,
        exit_code=exit_code,
        changes=changes,
        more_changes=more,
        message=one_line(event.message or "", _MESSAGE_UNITS),
    )


def _changes(found: object) -> tuple[tuple[ShownChange, ...], int]:
    if not isinstance(found, list):
        return (), 0
    changes = tuple(
        ShownChange(str(change.get("path", ""))[-_PATH_CHARS:], _mark(change.get("kind")))
        for change in found[:MAX_CHANGES]
        if isinstance(change, dict)
    )
    return changes, len(found) - len(changes)


def _mark(kind: object) -> Literal["+", "~", "-"]:
    if kind in ("add", "create", "new"):
        return "+"
    return "-" if kind in ("delete", "remove") else "~"
