"""What `codex exec --json` prints: only the fields that takopi uses.

https://github.com/openai/codex/blob/main/codex-rs/exec/src/exec_events.rs
"""

from typing import Any

import msgspec

from takopi.schemas._salvage import salvaging_decoder

__all__ = [
    "CodexChange",
    "CodexError",
    "CodexEvent",
    "CodexItem",
    "CodexTodo",
    "CodexUsage",
    "decode_event",
]


class CodexError(msgspec.Struct):
    """Say why an item or a turn failed."""

    message: str = ""


class CodexChange(msgspec.Struct):
    """Name a file that was changed; `kind` is `add`, `update` or `delete`."""

    path: str = ""
    kind: str = ""


class CodexTodo(msgspec.Struct):
    """Be one step of the plan; codex does not say which one is being worked on."""

    text: str = ""
    completed: bool = False


class CodexUsage(msgspec.Struct):
    """Count the tokens of a turn."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0


class CodexItem(msgspec.Struct):
    """Be one thing that happens within a turn; `type` says which of the fields are there.

    The key `id` stands twice in a `web_search`; the second one is kept.
    """

    id: str = ""
    type: str = ""
    status: str = ""
    # agent_message, reasoning
    text: str = ""
    # command_execution
    command: str = ""
    aggregated_output: str = ""
    exit_code: int | None = None
    # file_change
    changes: list[CodexChange] = []
    # mcp_tool_call, collab_tool_call
    server: str = ""
    tool: str = ""
    arguments: Any = None
    result: Any = None
    error: CodexError | None = None
    prompt: str | None = None
    receiver_thread_ids: list[str] = []
    agents_states: Any = None
    # web_search
    query: str = ""
    action: Any = None
    # todo_list
    items: list[CodexTodo] = []
    # error
    message: str = ""


class CodexEvent(msgspec.Struct):
    """Be one line."""

    type: str = ""
    thread_id: str = ""
    item: CodexItem | None = None
    usage: CodexUsage | None = None
    error: CodexError | None = None
    message: str = ""


decode_event = salvaging_decoder(CodexEvent)
