"""The final messages of a turn: status, the whole answer, and the line that resumes the session."""

import math
from pathlib import PurePath
from typing import Any, Literal, TypeAlias

import msgspec

from takopi.core.chat import Button, ChatMessage, Document
from takopi.core.clean import clean_text, join_halves
from takopi.core.durations import format_elapsed
from takopi.core.markdown import render_markdown
from takopi.core.markdown.builder import RichBuilder
from takopi.core.progress_view import write_words
from takopi.core.richtext import RichText, plain, utf16_len
from takopi.core.shorten import one_line
from takopi.core.split import (
    MAX_ENTITIES,
    MAX_UNITS,
    cap_entities,
    count_entities,
    is_blank,
    join,
    split_rich,
)
from takopi.core.texts import tr, tr_later, tr_n, translated
from takopi.core.tool_log import NO_LOG, ToolLog, render_log

__all__ = ["FinalDelivery", "FinalView", "Overflow", "render_final"]

Overflow: TypeAlias = Literal["split", "trim", "file"]

MAX_PARTS = 5

# Above a document what is read first: about two screens of a phone.
HEAD_UNITS = 1_200

# A longer answer is not laid out as a whole: it would fill more than MAX_PARTS messages, and
# laying out megabytes takes seconds.
MAX_LAID_OUT = 100_000

# What stands below the answer leaves most of a message to it, whatever the notes are.
MAX_NOTES = 8
_NOTE_UNITS = 200
_NOTE_ENTITIES = 30
_ENGINE_UNITS = 60
_RESUME_UNITS = 512
LOG_UNITS = 2_000
_LOG_ENTITIES = 60
_CONTEXT_UNITS = 300

# Room for ` · 1/5` or `(2/5)` with the blank line after it.
_NUMBER_UNITS = 12

_STATUS = {
    "done": tr_later("✓ done"),
    "error": tr_later("✗ error"),
    "cancelled": tr_later("■ cancelled"),
    "interrupted": tr_later("⚠ interrupted"),
}
_FILENAME = "answer.md"


class FinalView(msgspec.Struct, frozen=True, kw_only=True):
    """Say how a turn ended.

    Args:
        elapsed_s: Seconds the turn took; None when nobody knows.
        steps: How many things the agent did.
        answer: The whole answer, Markdown.
        error: Why it failed.
        context_line: Project and branch, as `contexts.format_context` writes them; empty for none.
        resume_line: The command that continues the session; None to show none.
        notes: What else happened, one line each.
        usage: Numbers of the turn, keys as in `CompletedEvent.usage`; None to show none.
        buttons: Rows of buttons below the last message.
        log: What the agent did, to be shown below the answer; empty to show nothing of it.
        cwd: Directory the engine worked in; the log's paths inside it are shown relative to it.
    """

    status: Literal["done", "error", "cancelled", "interrupted"]
    engine: str
    elapsed_s: float | None
    steps: int = 0
    answer: str = ""
    error: str | None = None
    context_line: str = ""
    resume_line: str | None = None
    notes: tuple[str, ...] = ()
    usage: dict[str, Any] | None = None
    buttons: tuple[tuple[Button, ...], ...] = ()
    log: ToolLog = NO_LOG
    cwd: PurePath | None = None


class FinalDelivery(msgspec.Struct, frozen=True):
    """Be what is sent at the end of a turn, in this order.

    Args:
        messages: At least one; the resume line stands in the last.
        document: The whole answer, where the messages do not hold it.
    """

    messages: tuple[ChatMessage, ...]
    document: Document | None = None


def render_final(view: FinalView, overflow: Overflow = "split") -> FinalDelivery:
    """Show how a turn ended.

    Args:
        view: What is shown.
        overflow: What becomes of an answer that is too long for one message. `split` sends up to
            five messages, and beyond that the beginning with the whole answer as a document;
            `file` does the latter at once; `trim` cuts the answer and says how much is missing.
    """
    delivery = _deliver(view, overflow)
    if not view.buttons:
        return delivery
    *before, last = delivery.messages
    pressable = ChatMessage(last.body, view.buttons)
    return msgspec.structs.replace(delivery, messages=(*before, pressable))


def _deliver(view: FinalView, overflow: Overflow) -> FinalDelivery:
    status = plain(_status_line(view))
    tail = _tail(view)
    body = _body(view)
    if body is not None:
        one = _stack(status, body, tail)
        if _fits(one):
            return FinalDelivery((ChatMessage(_stack(status, body, _log(view, one), tail)),))
        if overflow == "split":
            parts = _numbered(status, _stack(body, tail))
            if len(parts) <= MAX_PARTS:
                parts = _with_log(view, status, body, tail, parts)
                return FinalDelivery(tuple(ChatMessage(part) for part in parts))
    if overflow == "trim":
        return FinalDelivery((ChatMessage(_trimmed(view, status, body, tail)),))
    return _head_and_document(view, status, tail)


def _log(view: FinalView, beside: RichText) -> RichText:
    """Lay out as much of the log as a message holds beside something; empty for none."""
    room = MAX_UNITS - utf16_len(beside.text) - 2
    entities = MAX_ENTITIES - count_entities(beside)
    return render_log(
        view.log,
        view.cwd,
        max_units=min(room, LOG_UNITS),
        max_entities=min(entities, _LOG_ENTITIES),
    )


def _with_log(
    view: FinalView, status: RichText, body: RichText, tail: RichText, parts: list[RichText]
) -> list[RichText]:
    """Put the log into the last part of an answer, as far as that has room for it."""
    log = _log(view, parts[-1])
    if is_blank(log.text):
        return parts
    more = _numbered(status, _stack(body, log, tail))
    # A cut may go elsewhere with it; it must not go through the log.
    return more if len(more) == len(parts) else parts


def _status_line(view: FinalView) -> str:
    parts = [translated(_STATUS[view.status]), one_line(view.engine, _ENGINE_UNITS)]
    if view.elapsed_s is not None:
        parts.append(format_elapsed(view.elapsed_s))
    if view.steps:
        parts.append(tr_n("{count} step", "{count} steps", view.steps))
    return " · ".join(parts)


def _body(view: FinalView) -> RichText | None:
    """Lay out the error and the answer; None when that is more than messages are for."""
    error = view.error or ""
    if len(error) + len(view.answer) > MAX_LAID_OUT:
        return None
    return _laid_out(
        error, view.answer, empty=tr("(no answer text)") if view.status == "done" else ""
    )


def _laid_out(error: str, answer: str, *, empty: str = "") -> RichText:
    out = RichBuilder()
    write_words(out, clean_text(error).strip("\n"))
    body = render_markdown(answer)
    return _stack(out.build(), body if not is_blank(body.text) else plain(empty))


def _tail(view: FinalView) -> RichText:
    """Lay out what stands below the answer; it is short."""
    out = RichBuilder()
    notes = [one_line(note, _NOTE_UNITS) for note in view.notes[:MAX_NOTES]]
    if len(view.notes) > MAX_NOTES:
        notes.append(tr("… {count} more notes", count=len(view.notes) - MAX_NOTES))
    usage = format_usage(view.usage or {})
    for line in (*notes, *([usage] if usage else ())):
        out.open("italic")
        write_words(out, line)
        out.close()
        out.gap(1)
    resume = RichBuilder()
    if view.context_line:
        resume.code(one_line(view.context_line, _CONTEXT_UNITS))
        resume.gap(1)
    # Runners write the line as Markdown's inline code; the entity says that here.
    resume.code(one_line(view.resume_line or "", _RESUME_UNITS).strip("`"))
    return _stack(cap_entities(out.build(), _NOTE_ENTITIES), resume.build())


def format_usage(usage: dict[str, Any]) -> str:
    """Write the numbers of a turn on one line; what is no number is left out."""
    parts = []
    model = usage.get("model")
    if isinstance(model, str) and model.strip():
        parts.append(one_line(model, _ENGINE_UNITS))
    forms = (
        ("input_tokens", tr_later("{count} in")),
        ("output_tokens", tr_later("{count} out")),
    )
    for key, form in forms:
        count = _number(usage.get(key))
        if count:
            parts.append(translated(form, count=_short_count(count)))
    cost = _number(usage.get("cost_usd"))
    if cost:
        parts.append(f"${cost:.2f}" if cost >= 0.01 else "<$0.01")
    return " · ".join(parts)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _short_count(count: float) -> str:
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= size:
            scaled = count / size
            return f"{scaled:.0f}{letter}" if scaled >= 100 else f"{scaled:.1f}{letter}"
    return f"{count:.0f}"


def _stack(*texts: RichText) -> RichText:
    """Put texts below each other with a blank line between; blank ones are left out."""
    kept = [text for text in texts if not is_blank(text.text)]
    joined = kept[:1]
    for text in kept[1:]:
        joined += [plain("\n\n"), text]
    return join(*joined)


def _fits(text: RichText) -> bool:
    return utf16_len(text.text) <= MAX_UNITS and count_entities(text) <= MAX_ENTITIES


def _numbered(status: RichText, rest: RichText) -> list[RichText]:
    """Cut what one message cannot hold, and number the parts so that none is missed."""
    room = MAX_UNITS - utf16_len(status.text) - _NUMBER_UNITS
    parts = split_rich(rest, max_units=room)
    heads = [join(status, plain(f" · 1/{len(parts)}"))]
    heads += [plain(f"({n}/{len(parts)})") for n in range(2, len(parts) + 1)]
    return [_stack(head, part) for head, part in zip(heads, parts, strict=True)]


def _beginning(text: RichText, max_units: int, max_entities: int) -> RichText:
    parts = split_rich(text, max_units=max_units, max_entities=max_entities)
    return parts[0] if parts else plain("")


def _trimmed(view: FinalView, status: RichText, body: RichText | None, tail: RichText) -> RichText:
    error = view.error or ""
    total = utf16_len(body.text) if body is not None else len(error) + len(view.answer)
    if body is None:
        body = _laid_out(error[:MAX_UNITS], view.answer[: 4 * MAX_UNITS])
    room = MAX_UNITS - sum(utf16_len(text.text) + 2 for text in (status, tail))
    kept = _beginning(body, room - 60, MAX_ENTITIES - count_entities(tail))
    missing = max(1, total - utf16_len(kept.text))
    left_out = tr("✂ {count} more characters are not shown", count=f"{missing:,}")
    return _stack(status, kept, plain(left_out), tail)


def _head_and_document(view: FinalView, status: RichText, tail: RichText) -> FinalDelivery:
    error = view.error or ""
    body = _laid_out(error[:HEAD_UNITS], view.answer[: 4 * HEAD_UNITS])
    head = _beginning(body, HEAD_UNITS, MAX_ENTITIES - count_entities(tail) - 1)
    headings = (tr("Error:"), error, tr("Answer:"), view.answer)
    whole = "\n\n".join(headings) if error else view.answer
    content = join_halves(whole).encode()
    pointer = RichBuilder()
    pointer.text(tr("… the whole answer ({size}) is in", size=_size(len(content))) + " ")
    pointer.code(_FILENAME)
    above = _stack(status, head, pointer.build(), tail)
    message = ChatMessage(_stack(status, head, pointer.build(), _log(view, above), tail))
    return FinalDelivery((message,), Document(_FILENAME, content, status))


def _size(size_bytes: int) -> str:
    return (
        f"{size_bytes / 1_000:.0f} KB" if size_bytes < 1_000_000 else f"{size_bytes / 1e6:.1f} MB"
    )
