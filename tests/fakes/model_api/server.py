"""Serve the scripted model, and remember what was asked."""

import gzip
import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from fakes.model_api.conversation import (
    Conversation,
    from_chat,
    from_messages,
    from_responses,
)
from fakes.model_api.script import Block, Hold, Refuse, Wait, next_blocks
from fakes.model_api.sink import Sink
from fakes.model_api.wire_chat import answer_chat
from fakes.model_api.wire_messages import answer_messages
from fakes.model_api.wire_responses import answer_responses

__all__ = ["FakeModelApi", "SeenRequest"]

Reader: TypeAlias = Callable[[dict[str, Any]], Conversation]
Answerer: TypeAlias = Callable[[list[Block], Conversation, tuple[int, int], Sink], None]

_WIRES: dict[str, tuple[Reader, Answerer]] = {
    "/responses": (from_responses, answer_responses),
    "/messages": (from_messages, answer_messages),
    "/chat/completions": (from_chat, answer_chat),
}
_MODELS = ("fake-model", "gpt-5", "claude-sonnet-4-5")


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """Be one request for a model turn.

    Args:
        path: The path without query.
        headers: Names in lower case.
        body: The request as it came.
        conversation: The same in one form.
    """

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    conversation: Conversation

    @property
    def user_texts(self) -> list[str]:
        """Give the user messages exactly as the engine sent them."""
        return self.conversation.user_texts

    @property
    def is_main(self) -> bool:
        """Say whether this is the conversation itself, not a title or a summary."""
        return bool(self.conversation.tools)


class FakeModelApi:
    """Serve the scripted model on 127.0.0.1 while the `with` block runs.

    Args:
        port: 0 takes any free one.
        log: File that gets each request as a JSON line.
    """

    def __init__(self, port: int = 0, log: Path | None = None) -> None:
        self._seen: list[SeenRequest] = []
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._released: set[str] = set()
        self._attempts: dict[str, int] = {}
        self._log = log
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.api = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Give the base address, without `/v1`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[SeenRequest]:
        """Give all requests for a model turn so far."""
        with self._changed:
            return list(self._seen)

    @property
    def main_requests(self) -> list[SeenRequest]:
        """Give the requests of conversations, without titles and summaries."""
        return [request for request in self.requests if request.is_main]

    def __enter__(self) -> "FakeModelApi":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def serve(self) -> None:
        """Serve in this thread until `stop` is called from another."""
        self._server.serve_forever()

    def stop(self) -> None:
        """End all waiting and stop serving."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, number: int, *, timeout_s: float = 60.0) -> SeenRequest:
        """Wait until the n-th request of a conversation came, counted from 1, and return it."""

        def enough() -> bool:
            return sum(request.is_main for request in self._seen) >= number

        with self._changed:
            if not self._changed.wait_for(enough, timeout_s):
                raise TimeoutError(f"request {number} did not come within {timeout_s:g} s")
            return [request for request in self._seen if request.is_main][number - 1]

    def release(self, name: str) -> None:
        """Let the model turns go on that hold at `[[hold: name]]`."""
        with self._changed:
            self._released.add(name)
            self._changed.notify_all()

    def remember(self, request: SeenRequest) -> None:
        """Take a request into the log."""
        with self._changed:
            self._seen.append(request)
            self._changed.notify_all()
            if self._log is not None:
                record = {"path": request.path, "headers": request.headers, "body": request.body}
                with self._log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record) + "\n")

    def pause(self, seconds: float) -> None:
        """Wait, less when the server stops."""
        self._stopping.wait(seconds)

    def hold(self, name: str) -> None:
        """Wait until this name is released or the server stops."""
        with self._changed:
            self._changed.wait_for(lambda: name in self._released or self._stopping.is_set())

    def attempt(self, key: str) -> int:
        """Count how often the same thing was asked."""
        with self._changed:
            self._attempts[key] = self._attempts.get(key, 0) + 1
            return self._attempts[key]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    api: FakeModelApi


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake-model/1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Keep quiet."""

    def do_HEAD(self) -> None:
        self._sink().json({})

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.rstrip("/")
        sink = self._sink()
        if path.endswith("/models"):
            models = [_model(name) for name in _MODELS]
            page = {"first_id": _MODELS[0], "last_id": _MODELS[-1], "has_more": False}
            sink.json({"object": "list", "data": models, "models": [], **page})
        elif "/models/" in path:
            sink.json(_model(path.rsplit("/", 1)[1]))
        elif path in {"", "/healthz"}:
            sink.json({"ok": True})
        else:
            sink.refuse(404, anthropic=False)

    def do_POST(self) -> None:
        body = self._body()
        path = urlsplit(self.path).path.rstrip("/")
        try:
            if path.endswith("/messages/count_tokens"):
                self._sink().json({"input_tokens": len(json.dumps(body)) // 4})
                return
            for suffix, (read, answer) in _WIRES.items():
                if path.endswith(suffix):
                    self._answer(path, body, read(body), answer)
                    return
            self._sink().json({})  # telemetry and the like
        except OSError:  # the engine hung up, as engines that are ended do
            self.close_connection = True

    def _answer(
        self, path: str, body: dict[str, Any], talk: Conversation, answer: Answerer
    ) -> None:
        api = self.server.api
        headers = {name.lower(): value for name, value in self.headers.items()}
        api.remember(SeenRequest(path, headers, body, talk))
        sink = self._sink(streaming=bool(body.get("stream")))
        blocks: list[Block] = []
        for block in next_blocks(talk):
            if isinstance(block, Wait):
                api.pause(block.seconds)
            elif isinstance(block, Hold):
                api.hold(block.name)
            elif not isinstance(block, Refuse):
                blocks.append(block)
            elif self._refuses(block, talk):
                sink.refuse(block.status, anthropic=path.endswith("/messages"))
                return
        said = sum(len(str(block)) for block in blocks)
        answer(blocks, talk, (len(json.dumps(body)) // 4, said // 4 + 1), sink)

    def _refuses(self, block: Refuse, talk: Conversation) -> bool:
        key = hashlib.sha256(repr((talk.items, block)).encode()).hexdigest()
        attempt = self.server.api.attempt(key)
        return not block.times or attempt <= block.times

    def _sink(self, *, streaming: bool = False) -> Sink:
        return Sink(self, self.server.api.pause, streaming=streaming)

    def _body(self) -> dict[str, Any]:
        raw = self._raw_body()
        if self.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def _raw_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)


def _model(name: str) -> dict[str, Any]:
    model = {"id": name, "object": "model", "type": "model", "display_name": name}
    return {**model, "owned_by": "fake", "created": int(time.time())}
