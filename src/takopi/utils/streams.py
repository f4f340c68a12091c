"""Read byte streams by lines, for runners that own their process."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import msgspec
from anyio.abc import ByteReceiveStream

from takopi.core.json_repair import repair_json
from takopi.core.lines import LineSplitter

__all__ = ["drain_stderr", "iter_bytes_lines", "iter_jsonl"]

_decode = msgspec.json.Decoder().decode


async def iter_bytes_lines(stream: ByteReceiveStream) -> AsyncIterator[bytes]:
    r"""Yield the lines of a stream without their ``\n``, the last one even without it.

    A line over 32 MiB is left out.
    """
    splitter = LineSplitter()
    try:
        async for chunk in stream:
            for line in splitter.feed(chunk):
                if isinstance(line, bytes):
                    yield line
    except anyio.BrokenResourceError:
        pass  # the other side ended without closing: what it wrote is still to be read
    for line in splitter.finish():
        if isinstance(line, bytes):
            yield line


async def iter_jsonl(stream: ByteReceiveStream) -> AsyncIterator[Any]:
    """Yield the decoded lines of a stream; blank lines and those that are no JSON are left out."""
    async for line in iter_bytes_lines(stream):
        if not line.strip():
            continue
        try:
            yield _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            mended = repair_json(line)
            if mended is None:
                continue
            try:
                yield _decode(mended)
            except msgspec.DecodeError:
                continue


async def drain_stderr(stream: ByteReceiveStream, logger: Any, tag: str) -> None:
    """Read standard error to its end, so that the process is never stopped by a full pipe.

    Args:
        stream: The pipe.
        logger: Gets each line as a record of level debug.
        tag: Says in the records whose lines they are.
    """
    try:
        async for line in iter_bytes_lines(stream):
            logger.debug("stderr", tag=tag, line=line.decode("utf-8", "replace"))
    except anyio.ClosedResourceError:
        return  # the owner closed it: nobody wants the rest
