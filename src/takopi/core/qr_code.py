"""A link as a picture that a phone's camera reads: a QR code of ISO/IEC 18004, its smallest part.

Bytes, the weakest correction and the versions whose correction is one block: up to 106 bytes, which
is enough for a link to a bot. One fixed mask serves: readers take any.
"""

from collections.abc import Iterator
from typing import TypeAlias

__all__ = ["QrCode", "half_blocks", "qr_code"]

QrCode: TypeAlias = tuple[tuple[bool, ...], ...]
"""Rows of modules, True for dark, without the light margin."""

# By version: how many bytes of data and of correction.
SIZES = {1: (19, 7), 2: (34, 10), 3: (55, 15), 4: (80, 20), 5: (108, 26)}
BYTES_MODE = 0b0100
PADDING = (0xEC, 0x11)
FIELD = 0x11D
# Correction L with mask 0, the checkerboard, already protected: table C.1 of the standard.
FORMAT = 0b111011111000100
MARGIN = 2  # the standard says 4; cameras take 2, and four more columns fit into fewer terminals


def qr_code(text: str) -> QrCode | None:
    """Return the picture of a text; None for one over 106 bytes."""
    data = text.encode()
    version = next((v for v, (room, _) in SIZES.items() if len(data) + 2 <= room), None)
    if version is None:
        return None
    room, correction = SIZES[version]
    words = _words(data, room)
    words += _correction(words, correction)
    return _drawn(version, words)


def half_blocks(code: QrCode) -> list[str]:
    """Return lines of characters, two rows of modules each; what is light is drawn."""
    width = len(code) + 2 * MARGIN
    light = [[True] * width for _ in range(MARGIN)]
    rows = [[True] * MARGIN + [not dark for dark in row] + [True] * MARGIN for row in code]
    rows = [*light, *rows, *light]
    rows += [[False] * width] * (len(rows) % 2)
    signs = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(signs[pair] for pair in zip(*two, strict=True)) for two in pairs]


def _words(data: bytes, room: int) -> list[int]:
    """Return mode, length, bytes and end, filled up with what the standard says."""
    # Mode and end take half a byte each, so everything between them is shifted by one.
    number = int.from_bytes(bytes([BYTES_MODE, len(data)]) + data, "big") << 4
    words = list(number.to_bytes(len(data) + 2, "big"))
    filling = [PADDING[n % 2] for n in range(room - len(words))]
    return words + filling


def _times(a: int, b: int) -> int:
    """Multiply in the field of 256 elements."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = (a << 1) ^ (FIELD if a & 0x80 else 0)
        b >>= 1
    return product


def _correction(words: list[int], count: int) -> list[int]:
    """Return the Reed-Solomon words: the rest of a division by (x-1)(x-2)(x-4)..."""
    divisor = [1]
    root = 1
    for _ in range(count):
        shifted = [*divisor, 0]
        divisor = [a ^ _times(b, root) for a, b in zip(shifted, [0, *divisor], strict=True)]
        root = _times(root, 2)
    rest = [0] * count
    for word in words:
        factor = word ^ rest[0]
        rest = [*rest[1:], 0]
        rest = [a ^ _times(b, factor) for a, b in zip(rest, divisor[1:], strict=True)]
    return rest


def _drawn(version: int, words: list[int]) -> QrCode:
    size = 17 + 4 * version
    fixed = _fixed(version, size)
    bits = iter([word >> shift & 1 for word in words for shift in range(7, -1, -1)])
    picture = [[fixed.get((row, column), False) for column in range(size)] for row in range(size)]
    for row, column in _way(size):
        if (row, column) not in fixed:
            picture[row][column] = bool(next(bits, 0)) ^ ((row + column) % 2 == 0)
    return tuple(tuple(row) for row in picture)


def _way(size: int) -> Iterator[tuple[int, int]]:
    """Walk in pairs of columns from the right, up and down; the timing column is left out."""
    upwards = True
    for right in (*range(size - 1, 6, -2), 5, 3, 1):
        for row in range(size - 1, -1, -1) if upwards else range(size):
            yield row, right
            yield row, right - 1
        upwards = not upwards


def _fixed(version: int, size: int) -> dict[tuple[int, int], bool]:
    """Return the modules that carry no data."""
    found: dict[tuple[int, int], bool] = {}
    for n in range(size):
        found[6, n] = found[n, 6] = n % 2 == 0
    if version > 1:
        found |= _square(size - 7, size - 7, 2, size)
    for row, column in ((3, 3), (3, size - 4), (size - 4, 3)):
        found |= _square(row, column, 4, size)
    bits = [bool(FORMAT >> n & 1) for n in range(15)]
    around = [*range(6), 7, 8]
    for n in range(8):
        found[around[n], 8] = found[8, size - 1 - n] = bits[n]
    for n in range(8, 15):
        found[8, (7 if n == 8 else 14 - n)] = found[size - 15 + n, 8] = bits[n]
    found[size - 8, 8] = True
    return found


def _square(row: int, column: int, reach: int, size: int) -> dict[tuple[int, int], bool]:
    """Return rings around a middle: dark and light in turn; the large one has a full heart."""
    found = {}
    for y in range(max(0, row - reach), min(size, row + reach + 1)):
        for x in range(max(0, column - reach), min(size, column + reach + 1)):
            ring = max(abs(y - row), abs(x - column))
            found[y, x] = ring in ((0, 1, 3) if reach > 2 else (0, 2))
    return found
