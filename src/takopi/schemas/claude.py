"""What `claude -p --output-format stream-json` prints: only the fields that takopi uses.

https://docs.claude.com/en/docs/claude-code/sdk/sdk-typescript#message-types
"""

from typing import Any

import msgspec

from takopi.schemas._salvage import salvaging_decoder

__all__ = [
    "ClaudeBlock",
    "ClaudeDelta",
    "ClaudeDenial",
    "ClaudeEvent",
    "ClaudeMessage",
    "ClaudePatch",
    "ClaudeRateLimit",
    "ClaudeServer",
    "ClaudeStreamEvent",
    "ClaudeUsage",
    "decode_event",
]


class ClaudeUsage(msgspec.Struct, gc=False):
    """Count the tokens of a turn."""

    input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    output_tokens: int = 0


class ClaudeBlock(msgspec.Struct, gc=False):
    """Be a piece of a message; `type` says which of the fields are there."""

    type: str = ""
    # text, thinking
    text: str = ""
    thinking: str = ""
    # tool_use and the tools that the API itself runs
    id: str = ""
    name: str = ""
    input: Any = None
    # tool_result: a text, or a list of blocks
    tool_use_id: str = ""
    content: Any = None
    is_error: bool | None = None


class ClaudeMessage(msgspec.Struct, gc=False):
    """Be a message of the model or of the user; the latter may have a bare text as content."""

    id: str = ""
    model: str = ""
    content: tuple[ClaudeBlock, ...] | str = ()


class ClaudeServer(msgspec.Struct, gc=False):
    """Be an MCP server of the session."""

    name: str = ""
    status: str = ""


class ClaudeDenial(msgspec.Struct, gc=False):
    """Be a tool call that was not permitted."""

    tool_name: str = ""
    tool_use_id: str = ""


class ClaudePatch(msgspec.Struct, gc=False):
    """Be what changed of a background task."""

    status: str = ""
    error: str = ""


class ClaudeRateLimit(msgspec.Struct, gc=False):
    """Say how near the account's limit is.

    `status` is `allowed`, `allowed_warning` or `rejected`; `utilization` is 1 at the limit.
    """

    status: str = ""
    rateLimitType: str = ""  # noqa: N815 - the wire's name
    utilization: float | None = None


class ClaudeDelta(msgspec.Struct, gc=False):
    """Be a piece of a block that is being written."""

    type: str = ""
    text: str = ""
    thinking: str = ""


class ClaudeStreamEvent(msgspec.Struct, gc=False):
    """Be an event of the API, with `--include-partial-messages` only."""

    type: str = ""
    content_block: ClaudeBlock | None = None
    delta: ClaudeDelta | None = None


class ClaudeEvent(msgspec.Struct, gc=False):
    """Be one line."""

    type: str = ""
    subtype: str = ""
    session_id: str = ""
    parent_tool_use_id: str | None = None
    message: ClaudeMessage | str | None = None
    # An assistant message that claude made up has the kind of error; system/api_retry too.
    error: str | None = None
    tool_use_result: Any = None
    # system/init
    cwd: str = ""
    model: str = ""
    permissionMode: str = ""  # noqa: N815 - the wire's name
    claude_code_version: str = ""
    apiKeySource: str = ""  # noqa: N815
    tools: tuple[str, ...] = ()
    mcp_servers: tuple[ClaudeServer, ...] = ()
    # system/status, the tasks, and notices
    status: str | None = None
    compact_result: str = ""
    compact_error: str = ""
    task_id: str = ""
    task_type: str = ""
    tool_use_id: str = ""
    description: str = ""
    last_tool_name: str = ""
    summary: str = ""
    patch: ClaudePatch | None = None
    content: Any = None
    text: str = ""
    level: str = ""
    tool_name: str = ""
    # system/api_retry
    attempt: int = 0
    max_retries: int = 0
    retry_delay_ms: float = 0
    error_status: int | None = None
    # result
    is_error: bool = False
    result: str = ""
    errors: tuple[str, ...] = ()
    num_turns: int = 0
    duration_ms: float = 0
    total_cost_usd: float | None = None
    usage: ClaudeUsage | None = None
    modelUsage: dict[str, Any] | None = None  # noqa: N815
    permission_denials: tuple[ClaudeDenial, ...] = ()
    terminal_reason: str = ""
    # stream_event, rate_limit_event
    event: ClaudeStreamEvent | None = None
    rate_limit_info: ClaudeRateLimit | None = None


decode_event = salvaging_decoder(ClaudeEvent)
