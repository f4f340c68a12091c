"""Terminal output made fit for a chat."""

import pytest

from takopi.core.clean import clean_text, join_halves

CASES = {
    "untouched": ("a\tb\nc é 😀", "a\tb\nc é 😀"),
    "NUL and bell": ("a\x00b\x07c", "abc"),
    "colours": ("\x1b[1;31mred\x1b[0m", "red"),
    "titles": ("\x1b]0;title\x07text\x1b]8;;x\x1b\\link", "textlink"),
    "lone escape": ("a\x1bb", "ab"),
    "line ends": ("a\r\nb\rc\u2028d\x85e\x0cf", "a\nb\nc\nd\ne\nf"),
    "writing direction": ("a\u202eb\u202c", "ab"),
    "pair in two pieces": ("\ud83d\ude00", "😀"),
    "single halves": ("a\ud83db\ude00", "a\ufffdb\ufffd"),
    "delete and C1": ("a\x7fb\x9bc", "abc"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_chat_cannot_show_is_made_harmless(name: str) -> None:
    """Words stay, control characters go."""
    source, expected = CASES[name]
    assert clean_text(source) == expected


def test_whole_text_is_joined_without_a_change() -> None:
    """Only halves of characters are touched."""
    assert join_halves("a\x00\ud83d\ude00é") == "a\x00😀é"
