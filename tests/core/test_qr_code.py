"""QR codes, read back by a reader that shares nothing with the writer but the standard."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.qr_code import QrCode, half_blocks, qr_code

CORRECTION = {21: 7, 25: 10, 29: 15, 33: 20, 37: 26}
LOGARITHMS: list[int] = [1]
for _ in range(254):
    doubled = LOGARITHMS[-1] * 2
    LOGARITHMS.append(doubled ^ 0x11D if doubled > 255 else doubled)


def is_data(row: int, column: int, size: int) -> bool:
    """Tell whether a module carries data, by the regions of the standard's figures."""
    corner = (row < 9 and column < 9) or (row < 9 and column > size - 9)
    corner = corner or (row > size - 9 and column < 9)
    timing = 6 in (row, column)
    middle = size - 7
    aligned = size > 21 and abs(row - middle) < 3 and abs(column - middle) < 3
    return not (corner or timing or aligned)


def words_of(code: QrCode) -> list[int]:
    size = len(code)
    bits = []
    column, upwards = size - 1, True
    while column > 0:
        if column == 6:
            column -= 1
        for step in range(size):
            row = size - 1 - step if upwards else step
            for at in (column, column - 1):
                if is_data(row, at, size):
                    bits.append(code[row][at] != ((row + at) % 2 == 0))
        column, upwards = column - 2, not upwards
    whole = len(bits) // 8 * 8
    return [int("".join(str(int(b)) for b in bits[n : n + 8]), 2) for n in range(0, whole, 8)]


def times(a: int, b: int) -> int:
    if 0 in (a, b):
        return 0
    return LOGARITHMS[(LOGARITHMS.index(a) + LOGARITHMS.index(b)) % 255]


def syndromes(words: list[int], count: int) -> list[int]:
    """Evaluate the words as a polynomial at each root: zero when nothing is wrong."""
    found = []
    for n in range(count):
        value = 0
        for word in words:
            value = times(value, LOGARITHMS[n]) ^ word
        found.append(value)
    return found


@given(st.text(st.characters(codec="ascii"), max_size=106))
def test_what_was_written_is_read(text: str) -> None:
    """The bytes come back, and the correction finds nothing wrong."""
    code = qr_code(text)
    assert code is not None
    words = words_of(code)
    assert words[0] >> 4 == 4
    start = (words[0] & 15) << 4 | words[1] >> 4
    assert start == len(text.encode())
    text_bytes = bytes((words[n + 1] & 15) << 4 | words[n + 2] >> 4 for n in range(start))
    assert text_bytes.decode() == text
    assert not any(syndromes(words, CORRECTION[len(code)]))


def test_what_is_too_long_has_no_picture() -> None:
    """The link is shown as a text anyway."""
    assert qr_code("x" * 107) is None
    assert len(qr_code("x" * 106) or ()) == 37


@pytest.mark.parametrize(
    ("length", "digest"),
    [
        (17, "cc04e0799faa1da7"),
        (32, "500a1849f20e888f"),
        (53, "09ff72c4eb9e0b2a"),
        (78, "5dbdf16f720673de"),
        (106, "363885bd2127b99b"),
    ],
)
def test_each_version_looks_as_another_writer_draws_it(length: int, digest: str) -> None:
    """Finders, timing, alignment and format too: the digests are those of another library."""
    code = qr_code("z" * length)
    assert code is not None
    rows = "\n".join("".join("#" if dark else "." for dark in row) for row in code)
    assert hashlib.sha256(rows.encode()).hexdigest()[:16] == digest


def test_two_rows_go_into_a_line() -> None:
    """With a light margin around; what is light is drawn."""
    code = qr_code("hi")
    assert code is not None
    lines = half_blocks(code)
    assert len(lines) == 13
    assert {len(line) for line in lines} == {25}
    assert lines[0] == "█" * 25
    assert lines[1].startswith("██ ▄▄▄▄▄ ██")
