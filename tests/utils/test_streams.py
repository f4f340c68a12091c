"""Lines of byte streams."""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from anyio.abc import ByteReceiveStream

from takopi.utils.streams import drain_stderr, iter_bytes_lines, iter_jsonl

pytestmark = pytest.mark.anyio


class Chunks(ByteReceiveStream):
    """Give chunks, then an end: the normal one or an exception."""

    def __init__(self, chunks: Sequence[bytes], end: Exception | None = None) -> None:
        self.chunks = list(chunks)
        self.end = end or anyio.EndOfStream()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        if not self.chunks:
            raise self.end
        return self.chunks.pop(0)

    async def aclose(self) -> None:
        self.chunks.clear()


class Log:
    """Collect records."""

    def __init__(self) -> None:
        self.records: list[tuple[str, dict[str, Any]]] = []

    def debug(self, event: str, **fields: Any) -> None:
        self.records.append((event, fields))


TOO_LONG = b"x" * (32 * 1024 * 1024 + 1)


async def test_lines_come_whole_and_the_last_without_newline() -> None:
    """Too long ones are left out, at the end too; a broken pipe loses nothing."""
    chunks = [b"on", b"e\ntw", b"o\n", TOO_LONG, b"\nthree"]
    assert [line async for line in iter_bytes_lines(Chunks(chunks))] == [b"one", b"two", b"three"]
    broken = Chunks([b"a\nb"], anyio.BrokenResourceError())
    assert [line async for line in iter_bytes_lines(broken)] == [b"a", b"b"]
    assert [line async for line in iter_bytes_lines(Chunks([TOO_LONG]))] == []


async def test_values_come_decoded_and_garbage_is_left_out() -> None:
    """Blank lines and broken JSON do not end the stream; half an emoji is mended."""
    lines = b'{"a":1}\n\n  \noops\n{"b":"\\ud83d"}\n\xff\n[2]'
    values = [value async for value in iter_jsonl(Chunks([lines]))]
    assert values == [{"a": 1}, {"b": "\ufffd"}, [2]]


@pytest.mark.parametrize("end", [None, anyio.ClosedResourceError(), anyio.BrokenResourceError()])
async def test_standard_error_is_read_to_its_end(end: Exception | None) -> None:
    """Each line is a record; however the pipe ends, nothing is raised."""
    log = Log()
    await drain_stderr(Chunks([b"one\n\xff\n"], end), log, "toy")
    assert log.records == [
        ("stderr", {"tag": "toy", "line": "one"}),
        ("stderr", {"tag": "toy", "line": "\ufffd"}),
    ]
