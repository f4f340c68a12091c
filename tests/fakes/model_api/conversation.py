"""Bring the three wire formats into one form that the script can look at."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

__all__ = ["Conversation", "Item", "from_chat", "from_messages", "from_responses"]

# What engines wrap around or beside the person's words.
_NOISE = re.compile(
    r"<(system-reminder|environment_context|user_instructions|turn_aborted|skills?"
    r"|permissions instructions|collaboration_mode|current_datetime|reminder|INSTRUCTIONS"
    r"|session_context|subagent_notification|multi_agent_mode|local-command-caveat"
    r"|recommended_plugins|apps_instructions|plugins_instructions|skills_instructions"
    r"|goal_context)\b[^>]*>.*?</\1>",
    re.DOTALL,
)
_NOT_THE_PERSON = ("# AGENTS.md instructions", "[Request interrupted")
_STEERED = re.compile(
    r"The user sent a new message while you were working:\n(.*?)\n\nIMPORTANT:", re.DOTALL
)
_CWD = tuple(
    re.compile(pattern)
    for pattern in (
        r"<cwd>([^<]+)</cwd>",
        r"[Ww]orking directory(?: is)?:? *`?([^\s`<]+)",
        r"[Cc]urrent [Ww]orking [Dd]irectory:? *`?([^\s`<]+)",
        r"\bcwd:? *`?(/[^\s`<]+)",
    )
)


class Item(NamedTuple):
    """Be one thing that was said, called or returned."""

    kind: Literal["user", "assistant", "call", "result"]
    text: str


@dataclass
class Conversation:
    """Be a request in one form.

    Args:
        items: What was said, called and returned, in order.
        tools: Name to JSON schema; None for a tool that takes free text.
        custom: Tools that take free text.
        hosted: Kinds of tools that the model service runs itself.
        namespaces: Tool name to the namespace it lives in.
        notes: Every text that is not the person's, for finding the working directory.
        user_texts: User messages exactly as they came, before any cleaning.
        reasoning: What the request says about reasoning, whatever the wire calls it.
    """

    model: str = ""
    system: str = ""
    items: list[Item] = field(default_factory=list)
    tools: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    custom: set[str] = field(default_factory=set)
    hosted: set[str] = field(default_factory=set)
    namespaces: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    user_texts: list[str] = field(default_factory=list)
    reasoning: Any = None
    searches_itself: bool = False

    @property
    def prompts(self) -> list[str]:
        """Give the person's words, one entry a message."""
        return [item.text for item in self.items if item.kind == "user"]

    def cwd(self) -> str:
        """Find the directory in which the engine says it works."""
        text = "\n".join((self.system, *self.notes))
        for pattern in _CWD:
            if match := pattern.search(text):
                return match.group(1).strip().rstrip(".,")
        return ""

    def hear(self, text: str) -> None:
        """Take a user message in, as it came and without what the engine added."""
        self.user_texts.append(text)
        self.notes.append(text)
        words = _NOISE.sub("", text).strip()
        if words and not words.startswith(_NOT_THE_PERSON):
            self.items.append(Item("user", words))


def text_of(content: Any) -> str:
    """Give the text of a message's content, whatever its shape."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return text_of(content.get("text") or content.get("content"))
    return "".join(text_of(part) for part in content)


# https://platform.openai.com/docs/api-reference/responses/create
def from_responses(body: dict[str, Any]) -> Conversation:
    """Read a request of the OpenAI Responses API."""
    conversation = Conversation(
        model=body.get("model", ""),
        system=body.get("instructions") or "",
        reasoning=body.get("reasoning"),
    )
    _offer(conversation, body.get("tools") or ())
    entries = body.get("input") or []
    if isinstance(entries, str):
        entries = [{"type": "message", "role": "user", "content": entries}]
    for entry in entries:
        _take_response_item(conversation, entry)
    return conversation


def _take_response_item(conversation: Conversation, entry: dict[str, Any]) -> None:
    kind = entry.get("type", "message")
    if kind == "message":
        text = text_of(entry.get("content"))
        if entry.get("role") == "user":
            conversation.hear(text)
        elif entry.get("role") == "assistant":
            conversation.items.append(Item("assistant", text))
        else:
            conversation.notes.append(text)
    elif kind in {"function_call", "custom_tool_call", "local_shell_call", "tool_search_call"}:
        conversation.items.append(Item("call", entry.get("name") or kind))
    elif kind == "additional_tools":
        _offer(conversation, entry.get("tools") or ())
    elif kind.endswith("_output"):
        conversation.items.append(Item("result", text_of(entry.get("output"))))


def _offer(conversation: Conversation, tools: Iterable[dict[str, Any]]) -> None:
    for tool in tools:
        kind = tool.get("type")
        if kind == "function":
            conversation.tools[tool["name"]] = tool.get("parameters") or {}
        elif kind == "custom":
            conversation.tools[tool["name"]] = None
            conversation.custom.add(tool["name"])
        elif kind == "namespace":
            _offer(conversation, tool.get("tools") or ())
            if tool["name"] != "functions":
                for part in tool.get("tools") or ():
                    conversation.namespaces[part.get("name")] = tool["name"]
        else:
            conversation.hosted.add(str(kind))


# https://docs.claude.com/en/api/messages
def from_messages(body: dict[str, Any]) -> Conversation:
    """Read a request of the Anthropic Messages API."""
    conversation = Conversation(
        model=body.get("model", ""),
        system=text_of(body.get("system")),
        reasoning=body.get("thinking") or body.get("output_config"),
    )
    for tool in body.get("tools") or ():
        if str(tool.get("type", "")).startswith("web_search"):
            conversation.searches_itself = True
        conversation.tools[tool["name"]] = tool.get("input_schema") or {}
    for message in body.get("messages") or ():
        content = message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if message["role"] == "user":
            _take_user_blocks(conversation, blocks)
        elif message["role"] == "assistant":
            _take_assistant_blocks(conversation, blocks)
        else:
            _take_note(conversation, text_of(content))
    return conversation


def _take_user_blocks(conversation: Conversation, blocks: Iterable[dict[str, Any]]) -> None:
    # Each text block is a message of its own: claude merges neighbours into one.
    for block in blocks:
        if block.get("type") == "tool_result":
            conversation.items.append(Item("result", text_of(block.get("content"))))
        elif block.get("type") == "text":
            steered = _STEERED.search(block["text"])
            conversation.hear(steered.group(1) if steered else block["text"])


def _take_assistant_blocks(conversation: Conversation, blocks: Iterable[dict[str, Any]]) -> None:
    for block in blocks:
        if block.get("type") == "text":
            conversation.items.append(Item("assistant", block["text"]))
        elif block.get("type") == "tool_use":
            conversation.items.append(Item("call", block["name"]))


def _take_note(conversation: Conversation, text: str) -> None:
    conversation.notes.append(text)
    if steered := _STEERED.search(text):
        conversation.hear(steered.group(1))


# https://platform.openai.com/docs/api-reference/chat/create
def from_chat(body: dict[str, Any]) -> Conversation:
    """Read a request of the OpenAI chat completions API."""
    conversation = Conversation(model=body.get("model", ""), reasoning=body.get("reasoning_effort"))
    for tool in body.get("tools") or ():
        function = tool.get("function") or {}
        conversation.tools[function.get("name")] = function.get("parameters") or {}
    for message in body.get("messages") or ():
        role, text = message.get("role"), text_of(message.get("content"))
        if role in {"system", "developer"}:
            conversation.system += text
        elif role == "user":
            conversation.hear(text)
        elif role == "tool":
            conversation.items.append(Item("result", text))
        elif role == "assistant":
            if text:
                conversation.items.append(Item("assistant", text))
            for call in message.get("tool_calls") or ():
                conversation.items.append(Item("call", call["function"]["name"]))
    return conversation
