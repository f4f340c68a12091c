"""Write answers: server-sent events, plain JSON, or a cut connection."""

import json
import re
import socket
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

__all__ = ["Sink", "new_id"]

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def new_id(prefix: str) -> str:
    """Make an id as model services do."""
    return prefix + uuid.uuid4().hex[:24]


class Sink:
    """Answer one request.

    Args:
        handler: The connection.
        streaming: Whether the engine asked for a stream.
        pause: Waits for a number of seconds, less when the server stops.
    """

    def __init__(
        self, handler: BaseHTTPRequestHandler, pause: Callable[[float], None], *, streaming: bool
    ) -> None:
        self._handler = handler
        self._pause = pause
        self.streaming = streaming

    def start(self) -> None:
        """Begin a stream; does nothing for a plain answer."""
        if not self.streaming:
            return
        handler = self._handler
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Cache-Control", "no-cache")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("request-id", new_id("req_"))
        handler.send_header("x-request-id", new_id("req_"))
        handler.end_headers()

    def event(self, data: dict[str, Any] | str, name: str | None = None) -> None:
        """Send one server-sent event; does nothing for a plain answer."""
        if not self.streaming:
            return
        text = data if isinstance(data, str) else json.dumps(data)
        lines = (f"event: {name}\n" if name else "") + f"data: {text}\n\n"
        raw = lines.encode()
        self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
        self._handler.wfile.flush()

    def finish(self, whole: dict[str, Any]) -> None:
        """End the stream, or send the whole answer where no stream was asked for."""
        if self.streaming:
            self._handler.wfile.write(b"0\r\n\r\n")
            self._handler.wfile.flush()
        else:
            self.json(whole)

    def cut(self) -> None:
        """Cut the connection."""
        self._handler.close_connection = True
        self._handler.connection.shutdown(socket.SHUT_RDWR)

    def json(self, whole: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Send one JSON value."""
        raw = json.dumps(whole).encode()
        handler = self._handler
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(raw)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(raw)

    def refuse(self, status: int, *, anthropic: bool) -> None:
        """Send an HTTP error in the words of the service."""
        error = {"message": f"fake model error {status}", "type": _KINDS.get(status, "api_error")}
        if anthropic:
            whole: dict[str, Any] = {"type": "error", "error": error}
        else:
            whole = {"error": error | {"code": None, "param": None}}
        self.json(whole, status, {"retry-after": "1"} if status == 429 else None)

    def pieces(self, text: str, seconds: float = 0.0) -> Iterator[str]:
        """Cut a text into deltas, spread over a time."""
        if seconds:
            words = re.findall(r"\S+\s*", text) or [text]
            for word in words:
                self._pause(seconds / len(words))
                yield word
            return
        size = max(1, min(4096, len(text) // 6 + 1))
        for start in range(0, len(text), size):
            yield text[start : start + size]
