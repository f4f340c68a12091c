"""Make small pictures that are real ones."""

import struct
import zlib
from pathlib import Path

__all__ = ["write_png"]


def write_png(path: Path, *, size: int = 8) -> Path:
    """Write a red square as PNG and return its path."""
    rows = b"".join(b"\0" + b"\xff\0\0" * size for _ in range(size))
    about = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", about), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks))
    return path


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
