"""What `codex exec --json` prints: only the fields that takopi uses.

https://github.com/openai/codex/blob/main/codex-rs/exec/src/exec_events.rs

What comes from JSON has no cycles, so the structs are left out of garbage collection; tuples as
defaults are shared, where a list would be made for each line.
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


class CodexError(msgspec.Struct, gc=False):
    """Say why an item or a turn failed."""

    message: str = ""


class CodexChange(msgspec.Struct, gc=False):
    """Name a file that was changed; `kind` is `add`, `update` or `delete`."""

    path: str = ""
    kind: str = ""


class CodexTodo(msgspec.Struct, gc=False):
    """Be one step of the plan; codex does not say which one is being worked on."""

    text: str = ""
    completed: bool = False


class CodexUsage(msgspec.Struct, gc=False):
    """Count the tokens of a turn."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0


class CodexItem(msgspec.Struct, gc=False):
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
    changes: tuple[CodexChange, ...] = ()
    # mcp_tool_call, collab_tool_call
    server: str = ""
    tool: str = ""
    arguments: Any = None
    result: Any = None
    error: CodexError | None = None
    prompt: str | None = None
    receiver_thread_ids: tuple[str, ...] = ()
    agents_states: Any = None
    # web_search
    query: str = ""
    action: Any = None
    # todo_list
    items: tuple[CodexTodo, ...] = ()
    # error
    message: str = ""


class CodexEvent(msgspec.Struct, gc=False):
    """Be one line."""

    type: str = ""
    thread_id: str = ""
    item: CodexItem | None = None
    usage: CodexUsage | None = None
    error: CodexError | None = None
    message: str = ""


decode_event = salvaging_decoder(CodexEvent)
