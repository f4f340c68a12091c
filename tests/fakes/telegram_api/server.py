"""The HTTP side of the stand-in: tokens, methods, faults."""

import asyncio
import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import web

from .control import control_routes
from .faults import Fault, Faults
from .flood import FloodControl
from .losses import lose
from .methods import HANDLERS, Upload
from .params import METHODS, read_params
from .people import Person
from .queue import UpdateQueue
from .refusal import Refusal
from .transcript import Call, Transcript
from .world import Chat, Message, User, World

__all__ = ["OWNER_ID", "TOKEN", "TelegramApi"]

TOKEN = "123456789:AAStandInTokenOfThirtyFiveCharacter"
OWNER_ID = 1000


class TelegramApi:
    """Be the Bot API on 127.0.0.1, for one bot; use it with `async with`.

    Args:
        token: The only token that is accepted.
        username: The bot's name.
        clock: Monotonic seconds for flood control and the transcript.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        username: str = "takopi_test_bot",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token = token
        self.revoked = False
        self.port = 0
        self.world = World(User(int(token.partition(":")[0]), "takopi", username, is_bot=True))
        self.updates = UpdateQueue(first_id=735_000_001)
        self.faults = Faults()
        self.flood = FloodControl(clock)
        self.calls = Transcript()
        self.wait_for = self.calls.wait_for
        self._clock = clock
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """Give what goes into `api_base_url`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def owner(self) -> Person:
        """Give the person whose chat most tests use."""
        return self.person(OWNER_ID)

    def person(self, user_id: int, first_name: str = "Ada", username: str | None = None) -> Person:
        """Return a person with a private chat."""
        return Person(self, self.world.user(user_id, first_name, username))

    def bot_messages(self, chat_id: int | None = None) -> list[Message]:
        """List what the bot wrote and a person still sees, oldest first."""
        chats: list[Chat] = list(self.world.chats.values())
        if chat_id is not None:
            chats = [self.world.chats[chat_id]]
        found = [m for chat in chats for m in chat.standing() if m.sender is self.world.bot]
        return sorted(found, key=lambda message: message.order)

    async def wait_message(
        self, fits: Callable[[Message], bool], *, chat_id: int | None = None, timeout_s: float = 20
    ) -> Message:
        """Return the newest message of the bot that fits, as soon as there is one."""

        def look() -> Message | None:
            return next((m for m in reversed(self.bot_messages(chat_id)) if fits(m)), None)

        return await self.wait_for(look, timeout_s)

    async def wait_call(self, method: str, *, count: int = 1, timeout_s: float = 20) -> Call:
        """Return the call number `count` of a method once it was answered.

        getUpdates counts on arrival: its answer may take fifty seconds.
        """

        def look() -> Call | None:
            calls = self.calls.of(method)
            done = [c for c in calls if c.done_at is not None or method == "getUpdates"]
            return done[count - 1] if len(done) >= count else None

        return await self.wait_for(look, timeout_s)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 chooses a free one, or the one it had before a `stop`."""
        _ = self.owner
        self.updates.closed = False
        app = web.Application(client_max_size=60 * 1024 * 1024)
        app.add_routes(control_routes(self))
        app.router.add_route("*", "/file/{bot}/{path:.+}", self._download)
        app.router.add_route("*", "/{bot}/{method}", self._serve)
        app.router.add_route("*", "/{rest:.*}", self._nothing)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port or self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """End every call that waits and stop listening; what it knows it keeps."""
        self.updates.close()
        self.faults.clear()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        del request
        return _json(Refusal(404, "Not Found").body(), 404)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self.world.files.get(request.match_info["path"].rpartition("/")[2])
        if request.match_info["bot"] != f"bot{self.token}" or file is None:
            return await self._nothing(request)
        fault = self.faults.take("file", {})
        if fault is not None and fault.kind == "status":
            return web.Response(status=fault.code)
        if fault is not None and request.transport is not None:
            request.transport.abort()
        return web.Response(body=file.content, content_type="application/octet-stream")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = _canonical(request.match_info["method"])
        token = request.match_info["bot"].removeprefix("bot")
        if not request.match_info["bot"].startswith("bot") or ":" not in token or method is None:
            return await self._nothing(request)
        if token != self.token or self.revoked:
            return _json(Refusal(401, "Unauthorized").body(), 401)
        try:
            params = read_params(method, await _raw_params(request))
        except Refusal as refusal:
            self.calls.open(method, {}, self._clock())
            return self._answer(self.calls.calls[-1], refusal)
        call = self.calls.open(method, params, self._clock())
        if request.transport is not None:
            call.peer = request.transport.get_extra_info("peername")[1]
        fault = self.faults.take(method, params)
        try:
            return await self._faulty(call, fault, request) if fault else await self._carry(call)
        except Refusal as refusal:
            return self._answer(call, refusal)

    async def _carry(self, call: Call) -> web.StreamResponse:
        return self._answer(call, await self._do(call))

    async def _do(self, call: Call) -> Any:
        if call.method == "getUpdates":
            return await self.updates.get(call.params)
        self.flood.charge(call.method, call.params.get("chat_id", 0))
        return HANDLERS[call.method](self.world, call.params)

    async def _faulty(self, call: Call, fault: Fault, request: web.Request) -> web.StreamResponse:
        if fault.kind in {"flood", "status", "refuse_format"}:
            raise fault.refusal()
        if fault.kind == "garbage":
            call.code, call.done_at = 200, self._clock()
            self.calls.notify()
            return web.Response(text="<html>gateway</html>", content_type="text/html")
        if fault.kind.startswith("lose_"):
            lose(self.world, fault.kind, call.params)
            return await self._carry(call)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return await self._carry(call)
        if fault.kind.endswith("_after"):
            call.answer = await self._do(call)
            self.calls.notify()
        if fault.kind == "slow_after":
            await asyncio.sleep(fault.seconds)
            return self._answer(call, call.answer)
        if fault.kind.startswith("hang"):
            await fault.hang()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def _answer(self, call: Call, found: Any) -> web.Response:
        refused = isinstance(found, Refusal)
        call.code = found.code if refused else 200
        call.answer = found.description if refused else found
        call.done_at = self._clock()
        self.calls.notify()
        body = found.body() if refused else {"ok": True, "result": found}
        return _json(body, call.code)


def _canonical(method: str) -> str | None:
    """Find a method; the server does not mind the case."""
    return {name.lower(): name for name in METHODS}.get(method.lower())


def _json(body: dict[str, Any], status: int) -> web.Response:
    return web.Response(text=json.dumps(body), status=status, content_type="application/json")


async def _raw_params(request: web.Request) -> dict[str, Any]:
    found: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        body = await request.text()
        found.update(json.loads(body) if body else {})
        return found
    if request.content_type == "application/x-www-form-urlencoded":  # also with GET
        found.update(parse_qsl(await request.text(), keep_blank_values=True))
        return found
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            found[name] = Upload(value.filename, value.file.read(), value.content_type)
        else:
            found[name] = value
    return found
