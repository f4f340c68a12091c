"""The watchdog over the poll: connections that answer nothing are given up, and nothing is lost."""

from collections.abc import Callable
from typing import Any

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.clock import VirtualClock, settle
from fakes.telegram_api.scripted import said
from takopi.bridge.clock import SystemClock
from takopi.errors import FloodLimited, TransportError, TransportUnavailable, Unauthorized
from takopi.telegram.api import BotIdentity, TelegramConfig
from takopi.telegram.pace import Pace
from takopi.telegram.poll import PollLoop
from takopi.telegram.poll_client import PollClient
from takopi.telegram.transport import TelegramTransport

pytestmark = pytest.mark.anyio

BOT = BotIdentity(123456789, "takopi_test_bot")
UNAVAILABLE = TransportUnavailable("down")


class Connections:
    """Make clients that do what a list says: answer, raise, hang, or hang against all orders."""

    def __init__(self, *plan: Any) -> None:
        self.plan = list(plan)
        self.made = 0
        self.closed = 0
        self.calls = 0

    def __call__(self) -> "_Client":
        self.made += 1
        return _Client(self)


class _Client:
    def __init__(self, all_of_them: Connections) -> None:
        self._all = all_of_them
        self._ended = anyio.Event()

    async def call(self, method: str, params: dict[str, Any], *, timeout_s: float = 30) -> Any:
        del method, params, timeout_s
        self._all.calls += 1
        todo = self._all.plan.pop(0) if self._all.plan else "hang"
        if isinstance(todo, Exception):
            raise todo
        if todo == "hang":
            await anyio.sleep_forever()
        if todo == "wedge":
            with anyio.CancelScope(shield=True):
                await self._ended.wait()
            raise TransportUnavailable("the connection was closed")
        return msgspec.Raw(msgspec.json.encode(todo))

    async def aclose(self) -> None:
        self._all.closed += 1
        self._ended.set()


async def call(client: PollClient) -> object:
    """Call once; return the answer, or the error."""
    try:
        return msgspec.json.decode(await client.call("getUpdates", {}))
    except TransportError as error:
        return error


async def finished(clock: VirtualClock, client: PollClient, within_s: float) -> object:
    """Call once, let time pass, and return what came of it."""
    found: list[object] = []

    async def do() -> None:
        found.append(await call(client))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(do)
        await clock.advance(within_s)
        assert found, f"nothing came within {within_s} s"
    return found[0]


@pytest.mark.parametrize("kind", ["hang", "wedge"])
async def test_a_call_without_answer_and_end_is_given_up(capsys, kind):
    """After two minutes there are new connections, also when the call cannot be interrupted."""
    clock, connections = VirtualClock(), Connections(kind, "answer")
    client = PollClient(connections, clock)
    error = await finished(clock, client, 120)
    assert isinstance(error, TransportUnavailable)
    assert connections.made == 2
    assert connections.closed >= 1
    assert "telegram.connections_renewed (without_answer_s=120.0)" in capsys.readouterr().err
    assert await call(client) == "answer"


async def test_it_says_what_was_given_up():
    """The text names the method and the limit; getUpdates may have been answered into nowhere."""
    clock = VirtualClock()
    error = await finished(clock, PollClient(Connections(), clock, stuck_after_s=7), 7)
    assert isinstance(error, TransportUnavailable)
    assert str(error).startswith("getUpdates had no answer and no end within 7 s; takopi opens new")
    assert error.maybe_accepted


async def test_a_slow_answer_is_no_stuck_one():
    """A call is left alone for as long as the limit says."""
    clock, connections = VirtualClock(), Connections()
    client = PollClient(connections, clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, client)
        await clock.advance(119.9)
        assert connections.made == 1
        tasks.cancel_scope.cancel()


async def test_calls_that_all_fail_get_new_connections_too(capsys):
    """A session that fails call after call is given up after two minutes; told once in a row."""
    clock, connections = VirtualClock(), Connections(*[UNAVAILABLE] * 30, "answer")
    client = PollClient(connections, clock)
    for _ in range(30):
        assert await call(client) is UNAVAILABLE
        await clock.advance(15)
    assert connections.made == 1 + 3
    assert connections.closed == 3
    assert capsys.readouterr().err.count("connections_renewed") == 1
    assert await call(client) == "answer"
    connections.plan = [UNAVAILABLE] * 10
    for _ in range(10):
        await call(client)
        await clock.advance(15)
    assert capsys.readouterr().err.count("connections_renewed") == 1


@pytest.mark.parametrize("answer", ["fine", FloodLimited(600), TransportError("no"), "x"])
async def test_any_answer_counts_and_idle_time_does_not(answer):
    """A refusal shows that the connections work, and a bot that does not ask is not stuck."""
    clock, connections = VirtualClock(), Connections(*[UNAVAILABLE, answer] * 8)
    client = PollClient(connections, clock)
    for _ in range(16):
        await call(client)
        await clock.advance(100)
    assert connections.made == 1


async def test_a_wrong_token_passes_as_it_is():
    """What ends the bot is not wrapped."""
    with pytest.raises(Unauthorized):
        await PollClient(Connections(Unauthorized("no")), VirtualClock()).call("getUpdates", {})


async def test_a_cancelled_call_is_cancelled_at_once():
    """The watchdog does not hold up a stop."""
    clock, connections = VirtualClock(), Connections()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, PollClient(connections, clock))
        await settle()
        tasks.cancel_scope.cancel()
    assert connections.made == 1
    assert not clock._sleepers


PLANS = st.lists(
    st.sampled_from(["hang", "wedge", UNAVAILABLE, FloodLimited(400), []])
    | st.lists(st.integers(1, 20).map(said), min_size=1, max_size=4),
    max_size=12,
)


@pytest.mark.timeout(600)
@given(PLANS)
def test_however_connections_hang_each_update_comes_once(plan):
    """Polling goes on after every renewal, and neither loses nor repeats an update."""

    async def collect() -> list[str]:
        clock, connections = VirtualClock(), Connections(*plan)
        polls = PollLoop(PollClient(connections, clock), BOT, clock, Pace(lambda: 0.5))
        found: list[str] = []

        async def take() -> None:
            async for batch in polls:
                found.extend(update.text for update in batch)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take)
            await clock.until(lambda: connections.calls > len(plan))
            polls.stop()
        return found

    numbers = [str(u["update_id"]) for step in plan if isinstance(step, list) for u in step]
    assert anyio.run(collect) == list(dict.fromkeys(numbers))


async def test_a_server_that_takes_the_call_and_never_answers(api, capsys):
    """Over real connections: the stuck one is left, and what was said meanwhile arrives once."""
    config = TelegramConfig(api.token, api.base_url)
    transport = TelegramTransport(config, jitter=lambda: 0.0, stuck_after_s=0.3)
    await transport.connect()
    stuck = api.faults.add("hang", "getUpdates")
    found: list[str] = []

    async def take(enough: Callable[[], bool]) -> None:
        async for batch in transport.updates():
            found.extend(update.text for update in batch)
            if enough():
                transport.stop()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take, lambda: len(found) == 2)
        await api.wait_for(lambda: stuck.hits)
        api.owner.say("meanwhile")
        assert transport.last_poll_at is None
        await api.wait_call("getUpdates", count=3)
        api.owner.say("later")
    assert found == ["meanwhile", "later"]
    assert transport.last_poll_at == pytest.approx(SystemClock().now(), abs=5)
    first, second, third, *_ = api.calls.of("getUpdates")
    assert first.peer != second.peer == third.peer
    assert "connections_renewed" in capsys.readouterr().err
    await transport.aclose()
    assert api.updates.pending == []
