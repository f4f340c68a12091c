"""Speak OpenAI Responses (codex).

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

import json
import time
from collections.abc import Iterable
from typing import Any

from fakes.model_api.conversation import Conversation
from fakes.model_api.script import Block, Drop, Search, Stumble, Text, Think, ToolCall
from fakes.model_api.sink import Sink, new_id

__all__ = ["answer_responses"]


def answer_responses(
    blocks: Iterable[Block], talk: Conversation, tokens: tuple[int, int], sink: Sink
) -> None:
    """Send one model turn."""
    blocks = list(blocks)
    turn = _Turn(talk, sink)
    for block in blocks:
        if isinstance(block, Drop):
            sink.cut()
            return
        if isinstance(block, Stumble):
            turn.fail()
            return
        turn.add(block)
    thought = any(isinstance(block, Think) for block in blocks)
    turn.finish(tokens, reasoning_tokens=7 if thought else 0)


class _Turn:
    def __init__(self, talk: Conversation, sink: Sink) -> None:
        self.talk = talk
        self.sink = sink
        self.sequence = 0
        self.output: list[dict[str, Any]] = []
        self.response: dict[str, Any] = {
            "id": new_id("resp_"),
            "object": "response",
            "created_at": int(time.time()),
            "status": "in_progress",
            "model": talk.model,
            "output": [],
        }
        sink.start()
        self.send("response.created", response=self.response)

    def send(self, kind: str, **fields: Any) -> None:
        self.sequence += 1
        self.sink.event({"type": kind, "sequence_number": self.sequence, **fields}, kind)

    def add(self, block: Block) -> None:
        index = len(self.output)
        if isinstance(block, Text):
            item = self._text(index, block)
        elif isinstance(block, Think):
            item = self._think(index, block)
        elif isinstance(block, ToolCall):
            item = self._call(block)
            self._added(index, {**item, "status": "in_progress"})
        elif isinstance(block, Search):
            action = {"type": "search", "query": block.query}
            item = {"type": "web_search_call", "id": new_id("ws_"), "status": "completed"}
            item["action"] = action
            self._added(index, {**item, "status": "in_progress"})
        else:
            return
        self.output.append(item)
        self.send("response.output_item.done", output_index=index, item=item)

    def _added(self, index: int, item: dict[str, Any]) -> None:
        self.send("response.output_item.added", output_index=index, item=item)

    def _text(self, index: int, block: Text) -> dict[str, Any]:
        item: dict[str, Any] = {
            "type": "message",
            "id": new_id("msg_"),
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        where = {"item_id": item["id"], "output_index": index, "content_index": 0}
        part = {"type": "output_text", "text": "", "annotations": []}
        self._added(index, item)
        self.send("response.content_part.added", **where, part=part)
        for piece in self.sink.pieces(block.text, block.seconds):
            self.send("response.output_text.delta", **where, delta=piece)
        self.send("response.output_text.done", **where, text=block.text)
        return {**item, "status": "completed", "content": [{**part, "text": block.text}]}

    def _think(self, index: int, block: Think) -> dict[str, Any]:
        item: dict[str, Any] = {"type": "reasoning", "id": new_id("rs_"), "summary": []}
        where = {"item_id": item["id"], "output_index": index, "summary_index": 0}
        part = {"type": "summary_text", "text": ""}
        self._added(index, item)
        self.send("response.reasoning_summary_part.added", **where, part=part)
        for piece in self.sink.pieces(block.text):
            self.send("response.reasoning_summary_text.delta", **where, delta=piece)
        self.send("response.reasoning_summary_text.done", **where, text=block.text)
        summary = [{**part, "text": block.text}]
        return {**item, "summary": summary, "encrypted_content": "ZmFrZQ=="}

    def _call(self, block: ToolCall) -> dict[str, Any]:
        arguments = block.arguments
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        call = {"call_id": new_id("call_"), "name": block.name, "status": "completed"}
        if block.name in self.talk.custom:
            return {"type": "custom_tool_call", "id": new_id("ctc_"), "input": text, **call}
        item = {"type": "function_call", "id": new_id("fc_"), "arguments": text, **call}
        if namespace := self.talk.namespaces.get(block.name):
            item["namespace"] = namespace
        return item

    def fail(self) -> None:
        error = {"code": "server_error", "message": "fake mid-stream error"}
        failed = {**self.response, "status": "failed", "error": error}
        self.send("response.failed", response=failed)
        self.sink.finish(failed)

    def finish(self, tokens: tuple[int, int], *, reasoning_tokens: int) -> None:
        usage = {
            "input_tokens": tokens[0],
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": tokens[1],
            "output_tokens_details": {"reasoning_tokens": reasoning_tokens},
            "total_tokens": sum(tokens),
        }
        end = {"status": "completed", "output": self.output, "usage": usage}
        whole = {**self.response, **end}
        self.send("response.completed", response=whole)
        self.sink.finish(whole)
