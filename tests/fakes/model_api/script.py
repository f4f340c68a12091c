"""Decide what the model says next: the directives of the newest prompt, and how far they are."""

from dataclasses import dataclass
from typing import TypeAlias

from fakes.model_api.conversation import Conversation
from fakes.model_api.directives import (
    TOOL_KINDS,
    Directive,
    parse_directives,
    shorten,
    unescape,
)
from fakes.model_api.tool_choice import Arguments, tool_call

__all__ = ["Block", "Drop", "Hold", "Refuse", "Search", "Stumble", "Text", "Think", "ToolCall"]
__all__ += ["Wait", "next_blocks"]


@dataclass(frozen=True, slots=True)
class Text:
    """Say something, over `seconds`."""

    text: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Think:
    """Reason before the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Call a tool."""

    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Search:
    """Search the web, as services that do it themselves report it."""

    query: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an HTTP error; only the first `times`, always when that is 0."""

    status: int
    times: int = 0


@dataclass(frozen=True, slots=True)
class Stumble:
    """Send an error event in the middle of the stream."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Cut the connection in the middle of the stream."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Be silent for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Be silent until somebody releases this name."""

    name: str


Block: TypeAlias = Text | Think | ToolCall | Search | Refuse | Stumble | Drop | Wait | Hold


def next_blocks(talk: Conversation) -> list[Block]:
    """Give the blocks of the next model turn."""
    last = talk.prompts[-1] if talk.prompts else ""
    if talk.searches_itself:
        found = "Found 1 result: Fake result https://example.com/fake"
        return [Search(shorten(last, 200)), Text(found)]
    if not talk.tools and (side := _side_call(talk, last)):
        return [side]
    return _step(_steps(talk, last), _calls_since_prompt(talk))


def _side_call(talk: Conversation, last: str) -> Text | None:
    """Answer what engines ask beside the conversation: a title, a summary."""
    system = talk.system.lower()
    if "title" in system or "title" in last.lower()[:400] or "isNewTopic" in talk.system:
        as_json = '"title"' in talk.system + last or "json" in system
        return Text('{"title": "Fake title", "isNewTopic": true}' if as_json else "Fake title")
    if "summar" in system or "compact" in system or last.lower().startswith("summar"):
        first = shorten(talk.prompts[0]) if talk.prompts else ""
        return Text(f"Fake summary of the conversation. First prompt was: {first}")
    return None


def _since_prompt(talk: Conversation, kind: str) -> list[str]:
    texts: list[str] = []
    for item in talk.items:
        if item.kind == "user":
            texts = []
        elif item.kind == kind:
            texts.append(item.text)
    return texts


def _calls_since_prompt(talk: Conversation) -> int:
    return len(_since_prompt(talk, "call"))


def _step(steps: list[list[Block]], calls_made: int) -> list[Block]:
    calls = 0
    for step in steps:
        calls += sum(isinstance(block, ToolCall) for block in step)
        if calls_made < calls:
            return step
    return steps[-1]


def _steps(talk: Conversation, last: str) -> list[list[Block]]:
    steps: list[list[Block]] = [[]]
    said = False
    for directive in parse_directives(last):
        if directive.kind in TOOL_KINDS:
            _add_tool(talk, steps, directive)
            said = False
            continue
        block = _plain_block(talk, directive)
        if block is not None:
            steps[-1].append(block)
            said = said or directive.kind in {"say", "big"}
    if not said:
        steps[-1].append(Text(_own_answer(talk, last)))
    return steps


def _add_tool(talk: Conversation, steps: list[list[Block]], directive: Directive) -> None:
    if directive.kind == "search" and "web_search" in talk.hosted:
        steps[-1].append(Search(directive.argument))
        return
    call = tool_call(talk, directive.kind, directive.argument)
    if call is None:
        steps[-1].append(Text(f"(no tool for {directive.kind}: {shorten(directive.argument)}) "))
    elif directive.parallel and len(steps) > 1 and not steps[-1]:
        steps[-2].append(ToolCall(*call))
    else:
        steps[-1].append(ToolCall(*call))
        steps.append([])


def _plain_block(talk: Conversation, directive: Directive) -> Block | None:
    kind, argument = directive.kind, directive.argument
    if kind == "say":
        return Text(_said(talk, argument))
    if kind == "think":
        return Think(unescape(argument))
    if kind == "slow":
        seconds = float(argument or 5)
        ticks = "".join(f"tick {number + 1} " for number in range(int(seconds * 4)))
        return Text(ticks, seconds)
    if kind == "big":
        size = int(argument or 200) * 1024
        line = "0123456789abcdef" * 4 + "\n"
        return Text((line * (size // len(line) + 1))[:size])
    return _trouble(kind, argument)


def _trouble(kind: str, argument: str) -> Block | None:
    if kind == "wait":
        return Wait(float(argument or 5))
    if kind == "hold":
        return Hold(argument)
    if kind == "drop":
        return Drop()
    if kind != "error":
        return None
    if argument.startswith("sse"):
        return Stumble()
    status, _, times = argument.partition(" ")
    return Refuse(int(status), int(times.strip().lstrip("x") or 0))


def _said(talk: Conversation, text: str) -> str:
    prompts = talk.prompts
    words = {
        "turn": str(len(prompts)),
        "first": shorten(prompts[0]),
        "last": shorten(prompts[-1]),
        "out": "\n".join(_since_prompt(talk, "result")),
    }
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return unescape(text)


def _own_answer(talk: Conversation, last: str) -> str:
    prompts = talk.prompts
    first = shorten(prompts[0]) if prompts else ""
    text = f'turn {len(prompts)}; first prompt was "{first}"'
    if len(prompts) > 1:
        text += f'; this prompt was "{shorten(last)}"'
    if results := _since_prompt(talk, "result"):
        output = "\n".join(results)
        cut = output if len(output) < 2000 else f"{output[:1000]}... ({len(output)} chars)"
        text += f"; tool output: {cut}"
    return text
