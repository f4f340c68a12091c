"""Speak OpenAI chat completions (opencode, pi).

Source: https://platform.openai.com/docs/api-reference/chat/streaming
"""

import json
import time
from collections.abc import Iterable
from typing import Any

from fakes.model_api.conversation import Conversation
from fakes.model_api.script import Block, Drop, Search, Stumble, Text, Think, ToolCall
from fakes.model_api.sink import Sink, new_id

__all__ = ["answer_chat"]


def answer_chat(
    blocks: Iterable[Block], talk: Conversation, tokens: tuple[int, int], sink: Sink
) -> None:
    """Send one model turn."""
    blocks = list(blocks)
    turn = _Turn(talk.model, sink)
    sink.start()
    turn.send({"role": "assistant", "content": ""})
    for block in blocks:
        if isinstance(block, Drop):
            sink.cut()
            return
        if isinstance(block, Stumble):
            error = {"message": "fake mid-stream error", "type": "server_error", "code": 500}
            sink.event({"error": error})
            sink.finish({"error": error})
            return
        turn.add(block)
    called = any(isinstance(block, ToolCall) for block in blocks)
    turn.finish("tool_calls" if called else "stop", tokens)


class _Turn:
    def __init__(self, model: str, sink: Sink) -> None:
        self.sink = sink
        self.base = {"id": new_id("chatcmpl-"), "created": int(time.time()), "model": model}
        self.message: dict[str, Any] = {"role": "assistant", "content": ""}

    def send(self, delta: dict[str, Any], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self.sink.event({**self.base, "object": "chat.completion.chunk", "choices": [choice]})

    def add(self, block: Block) -> None:
        if isinstance(block, Text | Search):
            text = block.text if isinstance(block, Text) else "(searched) "
            seconds = block.seconds if isinstance(block, Text) else 0.0
            self.message["content"] += text
            for piece in self.sink.pieces(text, seconds):
                self.send({"content": piece})
        elif isinstance(block, Think):
            self.message["reasoning_content"] = block.text
            for piece in self.sink.pieces(block.text):
                self.send({"reasoning_content": piece})
        elif isinstance(block, ToolCall):
            self._call(block)

    def _call(self, block: ToolCall) -> None:
        arguments = block.arguments
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        calls = self.message.setdefault("tool_calls", [])
        function = {"name": block.name, "arguments": text}
        call = {"id": new_id("call_"), "type": "function", "function": function}
        calls.append(call)
        self.send({"tool_calls": [{"index": len(calls) - 1, **call}]})

    def finish(self, reason: str, tokens: tuple[int, int]) -> None:
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
        usage["total_tokens"] = sum(tokens)
        self.send({}, reason)
        chunk = {"object": "chat.completion.chunk", "choices": [], "usage": usage}
        self.sink.event({**self.base, **chunk})
        self.sink.event("[DONE]")
        choice = {"index": 0, "message": self.message, "finish_reason": reason}
        whole = {"object": "chat.completion", "choices": [choice], "usage": usage}
        self.sink.finish({**self.base, **whole})
