"""Lines on top, cuts that make room for them, and files in words: nothing is ever lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.chat import Button, ChatMessage, Document
from takopi.core.letter_forms import (
    MAX_PAGES,
    REPEATED,
    TOPIC_GONE,
    in_words,
    with_lines,
    with_room,
    without_format,
)
from takopi.core.richtext import Entity, RichText, plain, utf16_len

LINES = st.sampled_from([(), (REPEATED,), (TOPIC_GONE,), (REPEATED, TOPIC_GONE)])
ROW = ((Button("B", "b"),),)
WORDS = st.lists(st.text("ab\U0001f600ä", min_size=1, max_size=60), min_size=1, max_size=130)


def words_of(text: str) -> str:
    """Take the white space out."""
    return "".join(text.split())


@given(words=WORDS, lines=LINES, bold=st.booleans(), full=st.booleans())
def test_a_message_under_lines_fits_and_loses_nothing(
    words: list[str], lines: tuple[str, ...], bold: bool, full: bool
) -> None:
    """At most 4,096 units each, ranges inside and on the same words, buttons below the last."""
    text = " ".join(words)
    while utf16_len(text) > 4096:
        text = text[:-1]
    if full:
        text += "x" * (4096 - utf16_len(text))
    kept = (Entity("bold", 0, utf16_len(text)),) if bold else ()
    pieces = with_room(ChatMessage(RichText(text, kept), ROW), lines)
    said = ""
    for piece in pieces:
        shown = with_lines(piece, lines)
        assert isinstance(shown, ChatMessage)
        assert isinstance(piece, ChatMessage)
        assert utf16_len(shown.body.text) <= 4096
        top = "\n".join(lines) + ("\n" if lines else "")
        assert shown.body.text == top + piece.body.text
        for entity in shown.body.entities:
            assert entity.offset == len(top)
            assert entity.offset + entity.length <= utf16_len(shown.body.text)
        assert bool(shown.body.entities) == bold
        assert shown.buttons == (ROW if piece is pieces[-1] else ())
        said += piece.body.text
    assert words_of(said) == words_of(text)
    assert len(pieces) <= 2


@given(units=st.integers(0, 1024), lines=LINES)
def test_a_caption_under_lines_fits_and_loses_nothing(units: int, lines: tuple[str, ...]) -> None:
    """One without room becomes a message before the file."""
    caption = "ç" * units  # in no line
    pieces = with_room(Document("a.md", b"x", plain(caption)), lines)
    shown = [with_lines(piece, lines) for piece in pieces]
    last = shown[-1]
    assert isinstance(last, Document)
    assert (last.filename, last.content) == ("a.md", b"x")
    assert utf16_len(last.caption.text) <= 1024
    texts = [s.caption.text if isinstance(s, Document) else s.body.text for s in shown]
    assert "".join(texts).count("ç" * units if units else "\x00") == bool(units)
    assert all(text.startswith("\n".join(lines)) for text in texts)


def test_without_lines_everything_stays_as_it_is() -> None:
    """Not even a copy is made."""
    body = ChatMessage(plain("x" * 4096))
    assert with_room(body, ()) == (body,)
    assert with_lines(body, ()) == body


@pytest.mark.parametrize(
    "body", [ChatMessage(plain(" " * 4096)), Document("a", b"", plain(" " * 1024))]
)
def test_what_is_blank_is_not_cut(body: ChatMessage | Document) -> None:
    """No piece of it would be taken."""
    (piece,) = with_room(body, (REPEATED,))
    assert isinstance(piece, type(body))


def test_a_body_without_a_look_has_the_same_words() -> None:
    """Buttons go too; what is no message stays."""
    bold = (Entity("bold", 0, 1),)
    assert without_format(ChatMessage(RichText("a", bold), ROW)) == ChatMessage(plain("a"))
    assert without_format(Document("f", b"x", RichText("a", bold))) == Document(
        "f", b"x", plain("a")
    )
    assert without_format(None) is None


def test_a_file_in_words_ends_with_what_is_missing() -> None:
    """A chat is not filled with hundreds of messages."""
    (short,) = in_words(Document("a.md", "ä".encode()))
    assert short.body.text == "This chat did not take the file a.md; this is its text:\n\nä"
    pages = in_words(Document("a.md", b"word " * 100_000))
    assert len(pages) <= MAX_PAGES + 2
    assert pages[-1].body.text == "✂ 450,848 more characters could not be sent"
