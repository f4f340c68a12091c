"""The forms in which a letter may go out: plainer, in words, and with a line on top.

A line on top says something about the message that its text cannot know: that it may be there
already, or that it belongs elsewhere. Nothing of a text is ever cut away for such a line: what has
no room for it is cut into two messages.
"""

from collections.abc import Sequence
from typing import TypeVar

from msgspec.structs import replace

from takopi.core.chat import ChatMessage, Document
from takopi.core.richtext import RichText, plain, utf16_len
from takopi.core.split import MAX_UNITS, is_blank, join, split_rich
from takopi.core.texts import tr, tr_later, translated

__all__ = [
    "MAX_PAGES",
    "REPEATED",
    "TOPIC_CLOSED",
    "TOPIC_GONE",
    "in_words",
    "under_lines",
    "with_lines",
    "with_room",
    "without_format",
]

REPEATED = tr_later("↻ sent again: the first try may have arrived")
"""The line of a message that may be on the screen already."""

TOPIC_GONE = tr_later("(its topic is gone)")
"""The line of a message that was meant for a topic which is no more."""

TOPIC_CLOSED = tr_later("(its topic is closed)")
"""The line of a message that was meant for a topic which takes none at the moment."""

MAX_PAGES = 24
_MAX_CAPTION_UNITS = 1_024

_Body = TypeVar("_Body", ChatMessage, ChatMessage | Document, ChatMessage | Document | None)


def without_format(body: _Body) -> _Body:
    """Keep the text and nothing of its look; buttons go too, they may be what was refused."""
    if isinstance(body, ChatMessage):
        return ChatMessage(plain(body.body.text))
    if isinstance(body, Document):
        return replace(body, caption=plain(body.caption.text))
    return body


def in_words(document: Document) -> tuple[ChatMessage, ...]:
    """Write a file's text as messages, for a chat that takes no files; at most `MAX_PAGES`."""
    whole = document.content.decode("utf-8", "replace")
    kept = whole[: MAX_PAGES * MAX_UNITS // 2]
    told = tr("This chat did not take the file {name}; this is its text:", name=document.filename)
    pages = [*split_rich(plain(f"{told}\n\n{kept}"))]
    if len(whole) > len(kept):
        count = f"{len(whole) - len(kept):,}"
        pages.append(plain(tr("✂ {count} more characters could not be sent", count=count)))
    return tuple(ChatMessage(page) for page in pages)


def with_lines(body: ChatMessage | Document, lines: Sequence[str]) -> ChatMessage | Document:
    """Put lines on top of a body that has room for them."""
    if isinstance(body, Document):
        return replace(body, caption=under_lines(body.caption, lines))
    return ChatMessage(under_lines(body.body, lines), body.buttons)


def under_lines(text: RichText, lines: Sequence[str]) -> RichText:
    """Put lines on top of a text."""
    return join(_top(lines, text), text) if lines else text


def with_room(
    body: ChatMessage | Document, lines: Sequence[str]
) -> tuple[ChatMessage | Document, ...]:
    """Cut a body so that each piece of it has room for lines; as a rule it is one piece.

    Buttons go below the last piece. A file's caption that is too long becomes a message before it.
    """
    if not lines:
        return (body,)
    if isinstance(body, Document):
        top = utf16_len(_top(lines, body.caption).text)
        if top + utf16_len(body.caption.text) <= _MAX_CAPTION_UNITS:
            return (body,)
        bare = replace(body, caption=RichText(""))
        return (bare,) if is_blank(body.caption.text) else (ChatMessage(body.caption), bare)
    top = utf16_len(_top(lines, body.body).text)
    if top + utf16_len(body.body.text) <= MAX_UNITS or is_blank(body.body.text):
        return (body,)
    *before, last = split_rich(body.body, max_units=MAX_UNITS - top)
    return (*(ChatMessage(piece) for piece in before), ChatMessage(last, body.buttons))


def _top(lines: Sequence[str], text: RichText) -> RichText:
    said = [translated(line) for line in lines]
    return plain("\n".join(said) + ("\n" if text.text else ""))
