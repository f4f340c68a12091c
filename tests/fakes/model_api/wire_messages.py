"""Speak Anthropic Messages (claude).

Source: https://docs.claude.com/en/docs/build-with-claude/streaming
"""

import json
from collections.abc import Iterable
from typing import Any

from fakes.model_api.conversation import Conversation
from fakes.model_api.script import Block, Drop, Search, Stumble, Text, Think, ToolCall
from fakes.model_api.sink import Sink, new_id

__all__ = ["answer_messages"]

_SIGNATURE = "ZmFrZQ=="


def answer_messages(
    blocks: Iterable[Block], talk: Conversation, tokens: tuple[int, int], sink: Sink
) -> None:
    """Send one model turn."""
    blocks = list(blocks)
    turn = _Turn(talk.model, tokens, sink)
    for block in blocks:
        if isinstance(block, Drop):
            sink.cut()
            return
        if isinstance(block, Stumble):
            error = {"type": "overloaded_error", "message": "fake mid-stream error"}
            sink.event({"type": "error", "error": error}, "error")
            sink.finish({"type": "error", "error": error})
            return
        turn.add(block)
    called = any(isinstance(block, ToolCall) for block in blocks)
    turn.finish("tool_use" if called else "end_turn")


class _Turn:
    def __init__(self, model: str, tokens: tuple[int, int], sink: Sink) -> None:
        self.sink = sink
        self.content: list[dict[str, Any]] = []
        self.output_tokens = tokens[1]
        usage = {
            "input_tokens": tokens[0],
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
            "service_tier": "standard",
        }
        self.message = {
            "id": new_id("msg_"),
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        sink.start()
        self.send("message_start", message=self.message)

    def send(self, kind: str, **fields: Any) -> None:
        self.sink.event({"type": kind, **fields}, kind)

    def add(self, block: Block) -> None:
        if isinstance(block, Text):
            pieces = self.sink.pieces(block.text, block.seconds)
            deltas = ({"type": "text_delta", "text": piece} for piece in pieces)
            text = {"type": "text", "text": block.text}
            self._block({"type": "text", "text": ""}, deltas, text)
        elif isinstance(block, Think):
            self._think(block)
        elif isinstance(block, ToolCall):
            self._call(block)
        elif isinstance(block, Search):
            self._search(block)

    def _block(
        self, start: dict[str, Any], deltas: Iterable[dict[str, Any]], whole: dict[str, Any]
    ) -> None:
        index = len(self.content)
        self.content.append(whole)
        self.send("content_block_start", index=index, content_block=start)
        for delta in deltas:
            self.send("content_block_delta", index=index, delta=delta)
        self.send("content_block_stop", index=index)

    def _think(self, block: Think) -> None:
        deltas: list[dict[str, Any]] = [
            {"type": "thinking_delta", "thinking": piece} for piece in self.sink.pieces(block.text)
        ]
        deltas.append({"type": "signature_delta", "signature": _SIGNATURE})
        start = {"type": "thinking", "thinking": "", "signature": ""}
        self._block(start, deltas, {**start, "thinking": block.text, "signature": _SIGNATURE})

    def _call(self, block: ToolCall) -> None:
        start = {"type": "tool_use", "id": new_id("toolu_"), "name": block.name, "input": {}}
        pieces = self.sink.pieces(json.dumps(block.arguments))
        deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
        self._block(start, deltas, {**start, "input": block.arguments})

    def _search(self, block: Search) -> None:
        name = new_id("srvtoolu_")
        start = {"type": "server_tool_use", "id": name, "name": "web_search", "input": {}}
        query = {"query": block.query}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(query)}
        self._block(start, [delta], {**start, "input": query})
        hit = {
            "type": "web_search_result",
            "title": "Fake result",
            "url": "https://example.com/fake",
            "encrypted_content": _SIGNATURE,
            "page_age": None,
        }
        found = {"type": "web_search_tool_result", "tool_use_id": name, "content": [hit]}
        self._block(found, [], found)

    def finish(self, reason: str) -> None:
        usage = {**self.message["usage"], "output_tokens": self.output_tokens}
        self.send(
            "message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage
        )
        self.send("message_stop")
        end = {"content": self.content, "stop_reason": reason, "usage": usage}
        self.sink.finish({**self.message, **end})
