"""What `opencode run --format json` prints: only the fields that takopi uses.

https://github.com/anomalyco/opencode/blob/dev/packages/opencode/src/cli/cmd/run.ts
"""

from typing import Any

import msgspec

from takopi.schemas._salvage import salvaging_decoder

__all__ = [
    "OpencodeCache",
    "OpencodeError",
    "OpencodeErrorData",
    "OpencodeEvent",
    "OpencodeMetadata",
    "OpencodePart",
    "OpencodeState",
    "OpencodeTokens",
    "decode_event",
]


class OpencodeCache(msgspec.Struct):
    """Count the tokens that were read from and written to the provider's cache."""

    read: float = 0
    write: float = 0


class OpencodeTokens(msgspec.Struct):
    """Count the tokens of one step; `input` is without those from the cache."""

    input: float = 0
    output: float = 0
    reasoning: float = 0
    cache: OpencodeCache | None = None


class OpencodeMetadata(msgspec.Struct):
    """Be what a tool adds to its result; each tool has its own fields."""

    exit: int | None = None
    exists: bool | None = None
    sessionId: str | None = None  # noqa: N815 - the wire's name


class OpencodeState(msgspec.Struct):
    """Say how a tool call ended; `status` is `completed` or `error`."""

    status: str = ""
    input: dict[str, Any] = {}
    output: str = ""
    error: str = ""
    title: str = ""
    metadata: OpencodeMetadata | None = None


class OpencodePart(msgspec.Struct):
    """Be the part of a message that an event is about."""

    id: str = ""
    text: str = ""
    # tool_use
    tool: str = ""
    callID: str = ""  # noqa: N815 - the wire's name
    state: OpencodeState | None = None
    # step_finish
    reason: str = ""
    tokens: OpencodeTokens | None = None
    cost: float = 0


class OpencodeErrorData(msgspec.Struct):
    """Say what went wrong, in the provider's words."""

    message: str = ""
    statusCode: int | None = None  # noqa: N815 - the wire's name


class OpencodeError(msgspec.Struct):
    """Name a failure."""

    name: str = ""
    data: OpencodeErrorData | None = None


class OpencodeEvent(msgspec.Struct):
    """Be one line."""

    type: str = ""
    sessionID: str = ""  # noqa: N815 - the wire's name
    part: OpencodePart | None = None
    error: OpencodeError | None = None


decode_event = salvaging_decoder(OpencodeEvent)
