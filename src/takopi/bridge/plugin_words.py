"""Between the plain messages of command plug-ins and those of the chat."""

from collections.abc import Mapping
from typing import Any

import msgspec

from takopi.bridge.ending import Ending
from takopi.core.chat import ChatMessage, Document
from takopi.core.clean import clean_text
from takopi.core.html_text import read_html
from takopi.core.markdown import render_markdown
from takopi.core.richtext import Entity, RichText, plain, utf16_len
from takopi.core.split import is_blank, split_rich
from takopi.core.texts import tr
from takopi.transport import RenderedMessage

__all__ = ["as_messages", "as_rendered"]

ENTITIES = "entities"

MAX_PARTS = 5
"""More messages would keep a chat busy for minutes, with everybody else waiting behind them."""

_FILENAME = "message.txt"


def as_messages(said: RenderedMessage | str) -> tuple[ChatMessage | Document, ...]:
    """Make what is sent of what a plug-in says; nothing when nobody could see it.

    What fills more than `MAX_PARTS` messages is one, with the beginning, and a file with all of it.

    Args:
        said: Plain text; `extra["entities"]` may mark ranges of it as the Bot API does, and
            `extra["parse_mode"]` may say that it is HTML or Markdown.
    """
    marked = plain(said) if isinstance(said, str) else _marked(str(said.text), said.extra)
    cleaned = clean_text(marked.text)
    if is_blank(cleaned):
        return ()
    body = marked if cleaned == marked.text else plain(cleaned)
    parts = split_rich(body)
    if len(parts) > MAX_PARTS:
        return ChatMessage(parts[0]), Document(_FILENAME, cleaned.encode())
    return tuple(ChatMessage(part) for part in parts)


def as_rendered(ending: Ending) -> RenderedMessage:
    """Make what a plug-in gets of a turn's end: the answer, or why there is none.

    `extra` has `entities` for the text, `outcome`, the `answer` as the engine wrote it, and the
    `resume_line`.
    """
    answer = render_markdown(ending.answer)
    if ending.outcome == "done":
        body = answer
    else:
        why = ending.reason or tr("it has no answer")
        head = f"{ending.outcome}: {why}"
        body = plain(f"{head}\n\n{answer.text}" if answer.text else head)
    return RenderedMessage(
        body.text,
        {
            ENTITIES: [_as_mark(entity) for entity in body.entities],
            "outcome": ending.outcome,
            "answer": ending.answer,
            "resume_line": ending.resume_line,
        },
    )


def _marked(text: str, extra: Mapping[str, Any]) -> RichText:
    mode = str(extra.get("parse_mode") or "").lower()
    if mode == "html":
        return read_html(text)
    if mode.startswith("markdown"):
        return render_markdown(text)
    return RichText(text, _entities(extra, text))


def _as_mark(entity: Entity) -> dict[str, Any]:
    mark = msgspec.structs.asdict(entity)
    mark["type"] = mark.pop("kind")
    return {name: value for name, value in mark.items() if value is not None}


def _entities(extra: Mapping[str, Any], text: str) -> tuple[Entity, ...]:
    """Read the marks of a plug-in; those that a chat would refuse are left out."""
    marks = extra.get(ENTITIES)
    units = utf16_len(text)
    found: list[Entity] = []
    for mark in marks if isinstance(marks, list | tuple) else ():
        entity = _entity(mark)
        if entity is not None and 0 <= entity.offset < entity.offset + entity.length <= units:
            found.append(entity)
    kept: list[Entity] = []
    # Ends of those that are open, the innermost last: a plug-in may mark every word of a book.
    ends: list[int] = []
    for entity in sorted(found, key=lambda one: (one.offset, -one.length)):
        end = entity.offset + entity.length
        while ends and ends[-1] <= entity.offset:
            ends.pop()
        if not ends or end <= ends[-1]:
            ends.append(end)
            kept.append(entity)
    return tuple(kept)


def _entity(mark: object) -> Entity | None:
    if not isinstance(mark, Mapping):
        return None
    fields = {**mark, "kind": mark.get("type")}
    try:
        return msgspec.convert(fields, Entity)
    except msgspec.ValidationError:
        return None
