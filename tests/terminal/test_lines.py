"""Lines from a descriptor, without holding up the end of the program."""

import os
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.terminal import lines

pytestmark = pytest.mark.anyio


async def read(descriptor: int, most: int = 1000) -> list[str | None]:
    send, receive = anyio.create_memory_object_stream[str | None](most)
    lines.start_reading(descriptor, send.send)
    found: list[str | None] = []
    with anyio.fail_after(20):
        while not found or found[-1] is not None:
            found.append(await receive.receive())
    send.close()
    receive.close()
    return found


async def read_bytes(data: bytes, tmp_path: Path) -> list[str | None]:
    path = tmp_path / "lines"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return await read(descriptor)
    finally:
        os.close(descriptor)


@given(st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8")), max_size=8))
def test_lines_come_as_they_were_written(tmp_path_factory, texts: list[str]) -> None:
    """Line ends of either kind, a last line without one, and nothing else is a line end."""
    folder = tmp_path_factory.mktemp("lines")
    for end in ("\n", "\r\n"):
        data = "".join(text + end for text in texts).encode()
        assert anyio.run(read_bytes, data, folder) == [*texts, None]
    if texts and texts[-1]:
        data = "\n".join(texts).encode()
        assert anyio.run(read_bytes, data, folder) == [*texts, None]


async def test_bytes_that_are_no_text_are_shown_as_such(tmp_path) -> None:
    """A stray byte does not end the reading."""
    assert await read_bytes(b"a\xffb\nc", tmp_path) == ["a\ufffdb", "c", None]


async def test_a_line_that_is_too_long_is_left_out(tmp_path) -> None:
    """What no engine takes is not kept in memory."""
    huge = b"x" * (lines.MAX_LINE_BYTES + 1)
    assert await read_bytes(b"a\n" + huge + b"\nb\n", tmp_path) == ["a", "b", None]


async def test_a_closed_descriptor_is_an_end(tmp_path) -> None:
    """A terminal that has gone away ends the chat."""
    assert await read(9999) == [None]


async def test_lines_come_while_the_writer_goes_on() -> None:
    """A pipe is not read to its end first."""
    reader, writer = os.pipe()
    send, receive = anyio.create_memory_object_stream[str | None](0)
    lines.start_reading(reader, send.send)
    with anyio.fail_after(20), send, receive:
        for word in ("one", "two"):
            os.write(writer, word.encode() + b"\n")
            assert await receive.receive() == word
        os.close(writer)
        assert await receive.receive() is None
    os.close(reader)


async def test_what_is_pasted_into_a_terminal_is_one_text() -> None:
    """Lines that come together are one prompt, blank ones too; the end ends it as well."""
    keyboard, terminal = os.openpty()
    send, receive = anyio.create_memory_object_stream[str | None](0)
    try:
        os.write(keyboard, b"an error:\n\n  line 7\n")
        lines.start_reading(terminal, send.send)
        with anyio.fail_after(20), send, receive:
            assert await receive.receive() == "an error:\n\n  line 7"
            os.write(keyboard, b"typed\n")
            assert await receive.receive() == "typed"
            os.write(keyboard, b"more\nand more\n\x04")
            assert await receive.receive() == "more\nand more"
            assert await receive.receive() is None
    finally:
        os.close(keyboard)
        os.close(terminal)


def test_nobody_waits_for_a_line_at_the_end() -> None:
    """The program ends while the reader still waits, and the reader ends after it."""
    reader, writer = os.pipe()

    async def leave() -> None:
        async def emit(line: str | None) -> None:
            raise AssertionError(line)

        lines.start_reading(reader, emit)

    anyio.run(leave)
    os.write(writer, b"too late\n")
    os.close(writer)
