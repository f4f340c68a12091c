"""Frames between the light bot and the test: a length, then a pickle; both ends are ours."""

import asyncio
import itertools
import pickle
import struct
from typing import Any

__all__ = ["Asker", "read_frame", "write_frame"]


async def read_frame(reader: asyncio.StreamReader) -> Any:
    """Return the next value; raises `IncompleteReadError` when the other end is gone."""
    (size,) = struct.unpack("!I", await reader.readexactly(4))
    return pickle.loads(await reader.readexactly(size))


def write_frame(writer: asyncio.StreamWriter, value: Any) -> None:
    """Send a value."""
    data = pickle.dumps(value)
    writer.write(struct.pack("!I", len(data)) + data)


class Asker:
    """Ask the other end; many questions may be under way at once.

    Args:
        reader: From the other end.
        writer: To the other end.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, *what: Any) -> Any:
        """Return the answer, or raise it when it is an error."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        write_frame(self._writer, (number, *what))
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)

    async def listen(self) -> None:
        """Hand out answers until the other end is gone."""
        while True:
            number, error, value = await read_frame(self._reader)
            waiting = self._waiting.get(number)
            if waiting is None or waiting.done():
                continue
            if error is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(value)
