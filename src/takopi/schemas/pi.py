"""What `pi --print --mode json` prints: only the fields that takopi uses.

https://github.com/earendil-works/pi/blob/main/packages/coding-agent/docs/json.md
"""

from typing import Any

import msgspec

from takopi.schemas._salvage import salvaging_decoder

__all__ = [
    "PiBlock",
    "PiCost",
    "PiDelta",
    "PiDetails",
    "PiEvent",
    "PiMessage",
    "PiResult",
    "PiUsage",
    "decode_event",
]


class PiBlock(msgspec.Struct):
    """Be one block of a message or result: text, thinking, a tool call, an image."""

    type: str = ""
    text: str = ""
    thinking: str = ""


class PiCost(msgspec.Struct):
    """Say what a message cost, in US dollars."""

    total: float = 0


class PiUsage(msgspec.Struct):
    """Count the tokens of one message; `input` is without those from the cache."""

    input: float = 0
    output: float = 0
    cacheRead: float = 0  # noqa: N815 - the wire's name
    cacheWrite: float = 0  # noqa: N815 - the wire's name
    reasoning: float = 0
    cost: PiCost | None = None


class PiMessage(msgspec.Struct):
    """Be a whole message; those of the assistant say why they stopped."""

    role: str = ""
    content: list[PiBlock] | str = ""
    model: str = ""
    usage: PiUsage | None = None
    stopReason: str = ""  # noqa: N815 - the wire's name
    errorMessage: str = ""  # noqa: N815 - the wire's name


class PiDelta(msgspec.Struct):
    """Be a piece of a message that is being written; `content` is the whole, at its end."""

    type: str = ""
    contentIndex: int = 0  # noqa: N815 - the wire's name
    delta: str = ""
    content: str = ""


class PiDetails(msgspec.Struct):
    """Be what a tool adds to its result."""

    diff: str = ""


class PiResult(msgspec.Struct):
    """Be what a tool returned, or returned so far."""

    content: list[PiBlock] | str = ""
    details: PiDetails | None = None


class PiEvent(msgspec.Struct):
    """Be one line."""

    type: str = ""
    # session
    id: str = ""
    # message_start, message_update, message_end
    message: PiMessage | None = None
    assistantMessageEvent: PiDelta | None = None  # noqa: N815 - the wire's name
    # tool_execution_start, tool_execution_update, tool_execution_end
    toolCallId: str = ""  # noqa: N815 - the wire's name
    toolName: str = ""  # noqa: N815 - the wire's name
    args: dict[str, Any] = {}
    partialResult: PiResult | None = None  # noqa: N815 - the wire's name
    result: PiResult | None = None
    isError: bool = False  # noqa: N815 - the wire's name
    # auto_retry_start, auto_retry_end, summarization_retry_scheduled, compaction_end
    attempt: int = 0
    maxAttempts: int = 0  # noqa: N815 - the wire's name
    delayMs: float = 0  # noqa: N815 - the wire's name
    errorMessage: str = ""  # noqa: N815 - the wire's name
    finalError: str = ""  # noqa: N815 - the wire's name
    success: bool = False
    # compaction_start, compaction_end
    reason: str = ""
    aborted: bool = False


decode_event = salvaging_decoder(PiEvent)
