"""Whether a failed send may have arrived: the one thing that decides if a repeat is marked."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.abc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.telegram_api import TelegramApi
from takopi.errors import FloodLimited, TransportError, TransportUnavailable
from takopi.telegram.aiogram_api import AiogramApi
from takopi.telegram.api import TelegramConfig, Upload
from takopi.telegram.errors import refusal
from takopi.telegram.wire import Answer

pytestmark = pytest.mark.anyio

TOKEN = "123456789:AAsecretsecretsecretsecretsecretsecre"
Client = Callable[[TelegramApi], AiogramApi]


@pytest.fixture
async def client(api: TelegramApi) -> AsyncIterator[AiogramApi]:
    """Connect the client that the bot sends with."""
    found = AiogramApi(TelegramConfig(api.token, api.base_url))
    yield found
    await found.aclose()


async def failure(client: AiogramApi, method: str = "sendMessage", **more: Any) -> TransportError:
    """Make a call that fails, and return why."""
    params: dict[str, Any] = {"chat_id": 1000, "text": "hello"}
    if method == "deleteMessage":
        params = {"chat_id": 1000, "message_id": 1}
    if method == "sendDocument":
        params = {"chat_id": 1000, "document": Upload("a.txt", b"x" * 200_000)}
    with pytest.raises(TransportError) as caught:
        await client.call(method, params, **more)
    return caught.value


async def nowhere(base_url: str, **options: Any) -> TransportUnavailable:
    """Send to an address at which no Bot API is."""
    client = AiogramApi(TelegramConfig(TOKEN, base_url))
    error = await failure(client, **options)
    await client.aclose()
    assert isinstance(error, TransportUnavailable)
    return error


SURELY_NOT = [
    {"kind": "status", "code": 500, "description": "Internal Server Error"},
    {"kind": "status", "code": 503, "description": "Service Unavailable"},
]
MAYBE = [
    {"kind": "drop"},
    {"kind": "drop_after"},
    {"kind": "garbage"},
    {"kind": "status", "code": 502, "description": "Bad Gateway"},
    {"kind": "status", "code": 504, "description": "Gateway Timeout"},
    {"kind": "status", "code": 500, "description": "Internal Server Error: restart"},
]


@pytest.mark.parametrize("fault", SURELY_NOT)
@pytest.mark.parametrize("method", ["sendMessage", "sendDocument"])
async def test_a_failure_that_the_server_tells_of_itself_was_not_accepted(
    api, client, fault, method
):
    """The Bot API's own 5xx is an answer: what was asked has not happened."""
    api.faults.add(method=method, **fault)
    error = await failure(client, method)
    assert isinstance(error, TransportUnavailable)
    assert not error.maybe_accepted


@pytest.mark.parametrize("fault", MAYBE)
@pytest.mark.parametrize("method", ["sendMessage", "sendDocument"])
async def test_without_an_answer_of_the_server_it_may_have_been(api, client, fault, method):
    """A lost connection, a gateway's word and a restart leave open what the server did."""
    api.faults.add(method=method, **fault)
    error = await failure(client, method)
    assert isinstance(error, TransportUnavailable)
    assert error.maybe_accepted


@pytest.mark.parametrize("kind", ["hang", "hang_after"])
async def test_a_call_without_an_answer_in_time_may_have_been(api, client, kind):
    """From here a server that did nothing looks like one that did it and does not say so."""
    api.faults.add(kind, "sendMessage")
    error = await failure(client, timeout_s=1)
    assert isinstance(error, TransportUnavailable)
    assert error.maybe_accepted
    assert len(api.bot_messages()) == (kind == "hang_after")


async def test_a_flood_was_not_accepted(api, client):
    """A 429 says when to come again, and nothing was sent."""
    api.faults.add("flood", "sendMessage", seconds=33)
    error = await failure(client)
    assert isinstance(error, FloodLimited)
    assert error.retry_after_s == 33
    assert api.bot_messages() == []


async def test_a_server_that_nobody_reaches_accepted_nothing(api):
    """Refused connections and failed handshakes come before the request."""
    assert not (await nowhere("http://127.0.0.1:9")).maybe_accepted
    assert not (await nowhere(api.base_url.replace("http:", "https:"))).maybe_accepted
    assert not (await nowhere("http://no-such-host.invalid.")).maybe_accepted
    assert api.calls.calls == []


async def test_a_handshake_that_never_ends_is_before_the_request():
    """A server that is reached and never speaks TLS got nothing to carry out."""

    async def listen(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await anyio.sleep_forever()

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, listen)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        error = await nowhere(f"https://127.0.0.1:{port}", timeout_s=1)
        tasks.cancel_scope.cancel()
    assert "no answer in time" in str(error)
    assert not error.maybe_accepted


async def test_a_call_that_waited_for_a_connection_in_vain_was_never_written(api):
    """With all connections busy, the one that waits has sent nothing when its time is over."""
    client = AiogramApi(TelegramConfig(api.token, api.base_url), connections=1)
    hanging = api.faults.add("hang", "deleteMessage")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(failure, client, "deleteMessage")
        await api.wait_for(lambda: hanging.hits)
        error = await failure(client, timeout_s=1)
        hanging.release()
    await client.aclose()
    assert isinstance(error, TransportUnavailable)
    assert not error.maybe_accepted
    assert api.bot_messages() == []


MAYBE_PAGES = {200: True, 302: False, 403: False, 413: False, 500: True, 502: True, 503: False}


@pytest.mark.parametrize(("status", "maybe"), [*MAYBE_PAGES.items(), (504, True), (524, True)])
async def test_a_page_of_a_gateway(status, maybe):
    """A gateway that turns a call away has handed it to nobody; other pages may come after."""

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\n<>" % status)

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        error = await nowhere(f"http://127.0.0.1:{port}")
        tasks.cancel_scope.cancel()
    assert f"HTTP {status}" in str(error)
    assert error.maybe_accepted is maybe


KINDS = st.sampled_from(["drop", "drop_after", "garbage", "flood", "status", None])


@settings(max_examples=max(20, settings().max_examples // 50))
@given(
    st.lists(
        st.tuples(KINDS, st.sampled_from([400, 403, 500, 502, 503, 504])), min_size=1, max_size=6
    )
)
def test_no_failure_denies_what_stands_in_the_chat(steps):
    """Whatever goes wrong: when the person sees the message, the error says that it may be so."""

    async def run() -> None:
        async with TelegramApi() as api:
            client = AiogramApi(TelegramConfig(api.token, api.base_url))
            for kind, code in steps:
                before = len(api.bot_messages())
                if kind is not None:
                    api.faults.add(kind, "sendMessage", code=code, description="x")
                try:
                    await client.call("sendMessage", {"chat_id": 1000, "text": "hello"})
                except TransportError as error:
                    maybe = getattr(error, "maybe_accepted", False)
                    assert maybe or len(api.bot_messages()) == before
                else:
                    assert len(api.bot_messages()) == before + 1
            await client.aclose()

    anyio.run(run)


def test_the_description_alone_can_carry_the_code():
    """A server behind another HTTP status is believed by its own code."""
    for code, maybe in ((500, False), (502, True), (504, True)):
        error = refusal("sendMessage", 400, Answer(ok=False, error_code=code), 1)
        assert isinstance(error, TransportUnavailable)
        assert error.maybe_accepted is maybe
