"""Keys from bytes, and what they do to a line and a menu."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.keyboard import Key, KeyDecoder, Line, edit, move
from takopi.core.onboarding import pasted_token


def keys(*chunks: bytes) -> list[Key]:
    decoder = KeyDecoder()
    return [key for chunk in chunks for key in decoder.feed(chunk)]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"\r\n", ["enter", "enter"]),
        (b"\x1b[A\x1b[B\x1bOA\x1bOB", ["up", "down", "up", "down"]),
        (
            b"\x1b[C\x1b[D\x1b[H\x1b[F\x1b[1~\x1b[4~",
            ["right", "left", "home", "end", "home", "end"],
        ),
        (b"\x7f\x08\x1b[3~\x15\x17", ["backspace", "backspace", "delete", "clear", "word"]),
        (b"\x03\x04", ["leave", "leave"]),
        (b"\x1b[15~\x1b[1;5A\x00\x1c", []),  # keys that mean nothing here
        (b"\x1b\r", ["enter"]),  # Escape, and then Enter
        (b"\x1b\x1b[A", ["up"]),
        ("é".encode(), ["text"]),
        (b"\xff", ["text"]),
    ],
)
def test_bytes_are_keys(data: bytes, names: list[str]) -> None:
    """Whatever terminal sends them; what means nothing is left out."""
    assert [key.name for key in keys(data)] == names


def test_a_paste_is_one_key() -> None:
    """A line break in it is no Enter."""
    assert keys(b"a\x1b[200~one\ntwo\x1b[201~\r") == [
        Key("text", "a"),
        Key("paste", "one\ntwo"),
        Key("enter"),
    ]


@given(st.lists(st.sampled_from(["a", "ü", "\r", "\x1b[A", "\x1bOB", "\x1b[200~x\n\x1b[201~"])))
def test_it_does_not_matter_how_bytes_are_cut(parts: list[str]) -> None:
    """One byte at a time gives the same keys."""
    data = "".join(parts).encode()
    assert keys(*(data[n : n + 1] for n in range(len(data)))) == keys(data)


@given(st.binary())
def test_no_bytes_do_harm(data: bytes) -> None:
    """Every key can be applied to a line, and the cursor stays in it."""
    line = Line()
    for key in keys(data):
        line = edit(line, key)
        assert 0 <= line.cursor <= len(line.text)
        assert line.text.isprintable()
        assert 0 <= move(0, 3, key) < 3


def typed(data: bytes, line: Line | None = None) -> Line:
    line = line or Line()
    for key in keys(data):
        line = edit(line, key)
    return line


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"abc", Line("abc", 3)),
        (b"abc\x7f", Line("ab", 2)),
        (b"abc\x1b[D\x1b[DX", Line("aXbc", 2)),
        (b"abc\x01\x1b[3~", Line("bc", 0)),
        (b"abc\x01\x1b[C\x05d", Line("abcd", 4)),
        (b"abc\x15", Line("", 0)),
        (b"/srv/one/two\x17", Line("/srv/one/", 9)),
        (b"/srv/one/\x17", Line("/srv/", 5)),
        (b"\x1b[200~ a\nb \x1b[201~", Line(" a b ", 5)),
        (b"ab\x1b[A\r", Line("ab", 2)),
    ],
)
def test_keys_edit_a_line(data: bytes, line: Line) -> None:
    """As everywhere."""
    assert typed(data) == line


@pytest.mark.parametrize("line_break", ["\r", "\n", "\r\n"])
def test_a_pasted_message_keeps_its_words_apart(line_break: str) -> None:
    """The words before and after the line of a token do not become a part of it."""
    token = "123456789:AAF" + "x" * 32
    pasted = line_break.join(("to access the HTTP API:", token, "Keep your token secure"))
    assert pasted_token(typed(f"\x1b[200~{pasted}\x1b[201~".encode()).text) == token


@pytest.mark.parametrize(
    ("data", "chosen"),
    [
        (b"\x1b[B", 1),
        (b"\x1b[A", 2),
        (b"\x1b[B\x1b[B\x1b[B", 0),
        (b"\x1b[F", 2),
        (b"\x1b[F\x1b[H", 0),
        (b"3", 2),
        (b"4", 0),
        (b"0", 0),
        (b"j", 1),
        (b"k", 2),
        (b"x\r", 0),
    ],
)
def test_keys_move_through_a_menu(data: bytes, chosen: int) -> None:
    """Round and round; a number goes there, one that is too large nowhere."""
    at = 0
    for key in keys(data):
        at = move(at, 3, key)
    assert at == chosen
