"""The one message that shows a running turn, bounded whatever the agent does."""

import re
from collections.abc import Sequence
from pathlib import PurePath

import msgspec

from takopi.core.chat import Button, ChatMessage
from takopi.core.durations import format_elapsed
from takopi.core.markdown.builder import RichBuilder
from takopi.core.progress import PlanItem, ProgressState, ShownAction, ShownChange
from takopi.core.shorten import line_end, one_line, relative_to, shorten_path, unwrap_shell
from takopi.core.split import MAX_ENTITIES, cap_entities
from takopi.core.texts import tr, tr_later, translated

__all__ = ["ProgressHeader", "render_progress", "write_action", "write_words"]

_LABEL_UNITS = 60
_TITLE_UNITS = 72
_PATH_UNITS = 48
_MESSAGE_UNITS = 60
_PLAN_UNITS = 60
_THINKING_UNITS = 160
_NOTE_UNITS = 300
_MAX_NOTES = 4
_TAIL_CHARS = 1_000
_TEXT_LINES = 3
_TEXT_LINE_UNITS = 140

_PLAN_SHOWN = 5
_CHANGES_SHOWN = 3

_PLAN_MARKS = {"completed": "☑", "in_progress": "▸", "pending": "☐"}
_PREFIXES = {
    "web_search": tr_later("search: {what}"),
    "subagent": tr_later("agent: {what}"),
    "ask": tr_later("asks: {what}"),
}
_PLAIN_KINDS = frozenset({"command", "tool", "file_change", *_PREFIXES})

# A chat makes links of file names (`main.py` is a host in Paraguay); as code it leaves them alone.
# An address is matched only to be left as it is. Words start once, so the time stays linear.
_MARKED = re.compile(
    r"https?://\S+"
    r"|`(?P<code>[^`\n]+)`"
    r"|(?<![\w./~-])(?P<file>(?:(?:[\w.~-]*/)+[\w-]|[\w-]{2})[\w.-]*\.[A-Za-z]\w{0,7}(?::\d+)?)"
    r"(?![\w/])"
)


# Emphasis, headings and fences of Markdown that is not finished and so cannot be laid out yet.
_MARKS = re.compile(r"\*\*|^\s*#{1,6} |^\s*(?:```|~~~).*$")
_PATH = re.compile(r"\S*[./]\S*")


class ProgressHeader(msgspec.Struct, frozen=True):
    """Be the head of a progress message: its first line, and who else works there.

    Args:
        label: What is going on: `working`, `queued`, `cancelling`.
        engine: Id of the engine.
        elapsed_s: Seconds since the turn started.
        context: Project and branch, in short; empty for none.
        beside: What else works in the same directory; empty for nothing.
    """

    label: str
    engine: str
    elapsed_s: float
    context: str = ""
    beside: str = ""


def render_progress(
    state: ProgressState,
    header: ProgressHeader,
    *,
    cwd: PurePath | None,
    cancel_data: str | None,
    notes: Sequence[str] = (),
) -> ChatMessage:
    """Show a running turn.

    Args:
        state: What is known of it.
        header: Its head.
        cwd: Directory the engine works in; paths inside it are shown relative to it.
        cancel_data: What the Cancel button carries; None for no button.
        notes: Lines of takopi's own at the end.
    """
    out = RichBuilder()
    out.text(_header_line(state, header))
    if header.beside:
        out.gap(1)
        write_words(out, one_line(header.beside, _NOTE_UNITS))
    out.gap(2)
    for action in state.recent:
        write_action(out, action, cwd)
    out.gap(2)
    _write_plan(out, state.plan)
    out.gap(2)
    _write_streamed(out, state)
    out.gap(2)
    for warning in state.warnings:
        out.text("⚠ ")
        write_words(out, one_line(warning.text, _TITLE_UNITS * 2))
        out.gap(1)
    out.gap(2)
    for note in notes[:_MAX_NOTES]:
        write_words(out, one_line(note, _NOTE_UNITS))
        out.gap(1)
    buttons = ((Button(tr("Cancel"), cancel_data),),) if cancel_data is not None else ()
    return ChatMessage(cap_entities(out.build(), MAX_ENTITIES), buttons)


def _header_line(state: ProgressState, header: ProgressHeader) -> str:
    parts = [one_line(header.label, _LABEL_UNITS), one_line(header.engine, _LABEL_UNITS)]
    parts.append(format_elapsed(header.elapsed_s))
    if state.steps:
        parts.append(tr("step {number}", number=state.steps))
    if header.context:
        parts.append(one_line(header.context, _LABEL_UNITS))
    return " · ".join(parts)


def write_words(out: RichBuilder, words: str) -> None:
    """Write takopi's or an engine's own words: what stands in backticks and file names as code."""
    place = 0
    for found in _MARKED.finditer(words):
        out.text(words[place : found.start()])
        code = found["code"] or found["file"]
        if code:
            out.code(code)
        else:
            out.text(found[0])
        place = found.end()
    out.text(words[place:])


def write_action(out: RichBuilder, action: ShownAction, cwd: PurePath | None) -> None:
    """Write the line of one action.

    Args:
        out: Where to.
        action: The action.
        cwd: Directory the engine works in; paths inside it are shown relative to it.
    """
    out.text(_mark(action) + " ")
    title = relative_to(action.title, cwd)
    if action.kind == "command":
        out.code(one_line(unwrap_shell(title), _TITLE_UNITS) or tr("command"))
    elif action.kind == "file_change" and not action.changes and _PATH.fullmatch(title):
        out.code(shorten_path(title, _PATH_UNITS))
    elif action.changes:
        _write_changes(out, action.changes, action.more_changes, cwd)
    else:
        what = one_line(title, _TITLE_UNITS) or action.kind
        form = _PREFIXES.get(action.kind)
        write_words(out, translated(form, what=what) if form else what)
    if action.exit_code:
        out.text(" · " + tr("exit {code}", code=action.exit_code))
    elif action.ok is False and action.message and action.message not in title:
        out.text(" · ")
        write_words(out, one_line(relative_to(action.message, cwd), _MESSAGE_UNITS))
    out.gap(1)


def _mark(action: ShownAction) -> str:
    if action.ok is False or (action.phase == "completed" and action.exit_code):
        return "✗"
    if action.phase == "updated":
        return "↻"
    if action.phase == "started":
        return "▸"
    return "✓" if action.kind in _PLAIN_KINDS else "•"


def _write_changes(
    out: RichBuilder, changes: tuple[ShownChange, ...], more: int, cwd: PurePath | None
) -> None:
    shown = changes[:_CHANGES_SHOWN]
    for number, change in enumerate(shown):
        out.text(", " if number else "")
        out.text(change.mark + " ")
        out.code(shorten_path(relative_to(change.path, cwd), _PATH_UNITS) or "?")
    rest = len(changes) - len(shown) + more
    if rest:
        out.text(" " + tr("and {count} more", count=rest))


def _write_plan(out: RichBuilder, plan: tuple[PlanItem, ...]) -> None:
    """Show the plan around the item that is worked on."""
    if not plan:
        return
    current = next((n for n, item in enumerate(plan) if item.status != "completed"), len(plan))
    first = max(0, min(current - 1, len(plan) - _PLAN_SHOWN))
    done = sum(item.status == "completed" for item in plan)
    out.text(tr("plan {done}/{all}", done=done, all=len(plan)))
    for item in plan[first : first + _PLAN_SHOWN]:
        out.gap(1)
        out.text(_PLAN_MARKS[item.status] + " ")
        write_words(out, one_line(item.text, _PLAN_UNITS))
    rest = len(plan) - first - _PLAN_SHOWN
    if rest > 0:
        out.gap(1)
        out.text(tr("… {count} more", count=rest))


def _write_streamed(out: RichBuilder, state: ProgressState) -> None:
    """Show the end of what the agent writes, and of what it thinks while it thinks."""
    if state.message is not None:
        *earlier, last = _last_lines(state.message.text, _TEXT_LINES)
        for line in earlier:
            write_words(out, one_line(line, _TEXT_LINE_UNITS))
            out.gap(1)
        write_words(out, line_end(last, _TEXT_LINE_UNITS))
        out.gap(1)
    if state.focus == "thinking" and state.thinking is not None:
        out.open("italic")
        out.text(line_end(_last_lines(state.thinking.text, 1)[0], _THINKING_UNITS))
        out.close()


def _last_lines(text: str, count: int) -> list[str]:
    """Return the last lines that are written, without the marks that only Markdown reads."""
    tail = text[-_TAIL_CHARS:].rstrip()
    lines = [_MARKS.sub("", line) for line in tail.split("\n")]
    return [line for line in lines if line.strip()][-count:] or [""]
