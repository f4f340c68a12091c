"""Formatted text on a terminal: harmless, and with the right words marked."""

from hypothesis import given
from hypothesis import strategies as st

from takopi.core.markdown import render_markdown
from takopi.core.richtext import COUNTED_KINDS, Entity, RichText, plain, utf16_len
from takopi.terminal.paint import STYLES, char_range, harmless, to_plain, to_rich

KINDS = sorted(COUNTED_KINDS | {"bold", "italic", "underline", "strikethrough"})


@given(st.text())
def test_nothing_can_drive_the_terminal(text: str) -> None:
    """An agent's words move no cursor, change no colour and no title."""
    clean = harmless(text)
    assert len(clean) == len(text)
    assert not any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 for c in clean)


@given(st.text(), st.text(min_size=1), st.text(), st.sampled_from(KINDS))
def test_the_right_words_are_marked(before: str, marked: str, after: str, kind: str) -> None:
    """A range of UTF-16 units covers the same words on the terminal."""
    entity = Entity(kind, utf16_len(before), utf16_len(marked), url="https://x.example")
    body = RichText(before + marked + after, (entity,))
    start, end = char_range(body.text, entity)
    assert body.text[start:end] == marked
    text = to_rich(body)
    assert text.plain == harmless(body.text)
    assert [(span.start, span.end) for span in text.spans] == [(start, end)]


def test_every_kind_has_a_style() -> None:
    """No formatting is forgotten but links, which have a target."""
    assert set(STYLES) | {"text_link"} == set(KINDS)


def test_plain_text_names_the_targets_of_links() -> None:
    """Where nothing can be clicked the address stands behind the words, once."""
    body = render_markdown("see [the docs](https://x.example/a) and https://y.example, **now** 🐙")
    assert "the docs <https://x.example/a> and" in to_plain(body)
    assert to_plain(body).count("https://y.example") == 1
    assert to_plain(plain("as it is")) == "as it is"


def test_a_surrogate_alone_is_no_error() -> None:
    """Half a character counts as one unit."""
    body = RichText("\ud83d!", (Entity("bold", 1, 1),))
    assert char_range(body.text, body.entities[0]) == (1, 2)
