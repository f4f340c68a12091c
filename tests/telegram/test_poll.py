"""The poll loop against the stand-in: nothing lost, nothing twice, nothing that stops it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.telegram_api import TelegramApi
from fakes.telegram_api.scripted import ScriptedApi, said
from fakes.telegram_api.skipping_clock import SkippingClock
from takopi.errors import TransportUnavailable, Unauthorized
from takopi.telegram.api import BotIdentity, TelegramConfig
from takopi.telegram.lean_api import LeanApi
from takopi.telegram.pace import Pace
from takopi.telegram.poll import REMEMBERED_UPDATES, PollLoop

pytestmark = pytest.mark.anyio

BOT = BotIdentity(123456789, "takopi_test_bot")

Maker = Callable[[], PollLoop]


@pytest.fixture
async def make(api: TelegramApi, clock: Any) -> AsyncIterator[Maker]:
    """Make poll loops, each as a bot that starts anew."""
    clients: list[LeanApi] = []

    def start() -> PollLoop:
        clients.append(LeanApi(TelegramConfig(api.token, api.base_url)))
        return PollLoop(clients[-1], BOT, clock, Pace(lambda: 0.5))

    yield start
    for client in clients:
        await client.aclose()


def about(seconds: float) -> Any:
    """Be near enough for a real clock."""
    return pytest.approx(seconds, abs=0.05)


def texts(batch: object) -> list[str]:
    """List the texts of a batch."""
    return [update.text for update in batch]


async def test_a_batch_is_confirmed_by_asking_for_the_next(api, make):
    """While a batch is being handled the server still holds it; afterwards it does not."""
    polls = make()
    first = api.owner.say("one")
    assert texts(await anext(polls)) == ["one"]
    assert len(api.updates.pending) == 1
    api.owner.say("two")
    assert texts(await anext(polls)) == ["two"]
    assert len(api.updates.pending) == 1
    assert first.text == "one"


async def test_an_unaccepted_batch_comes_again_after_a_crash(api, make):
    """A bot that dies over a batch gets it again; one that had asked on does not."""
    api.owner.say("again")
    assert texts(await anext(make())) == ["again"]
    polls = make()
    assert texts(await anext(polls)) == ["again"]
    api.owner.say("next")
    assert texts(await anext(polls)) == ["next"]
    assert texts(await anext(make())) == ["next"]


async def test_the_call_says_what_it_wants(api, make):
    """The kinds of updates are named each time, because the server keeps the last list."""
    api.owner.say("x")
    await anext(make())
    (call,) = api.calls.of("getUpdates")
    assert call.params == {
        "timeout": 50,
        "allowed_updates": ["message", "edited_message", "callback_query"],
    }


async def test_the_first_call_confirms_nothing(api, make):
    """What was not accepted before the bot died comes again: no number is sent at the start."""
    api.owner.say("x")
    polls = make()
    assert polls.newest is None
    await anext(polls)
    assert "offset" not in api.calls.of("getUpdates")[0].params
    api.owner.say("y")
    await anext(polls)
    assert api.calls.of("getUpdates")[1].params["offset"] == 735_000_002


async def test_the_greatest_number_of_an_answer_counts_those_that_mean_nothing(api, make):
    """Whoever keeps the journal learns how far the service has told."""
    api.owner.say("x")
    api.owner.say("", new_chat_title="a service message")
    polls = make()
    assert texts(await anext(polls)) == ["x"]
    assert polls.newest == 735_000_002


@pytest.mark.parametrize(
    "poison",
    [
        {"message": {"message_id": "x"}},
        {"message": 7},
        {"message": {"message_id": 1, "chat": {"id": None}}},
        {"callback_query": {"id": 5}},
        {"message": {"message_id": 1, "chat": {"id": 1, "type": "private"}, "text": ["no"]}},
    ],
)
async def test_a_poisoned_update_hides_no_other(api, make, poison):
    """What cannot be read is skipped and confirmed; its neighbours arrive."""
    api.owner.say("before")
    api.updates.push_raw(735_000_002, {"update_id": 735_000_002, **poison})
    api.owner.say("after")
    polls = make()
    assert texts(await anext(polls)) == ["before", "after"]
    api.owner.say("later")
    assert texts(await anext(polls)) == ["later"]


async def test_a_fault_of_our_own_hides_no_other(clock, capsys):
    """Even an update that our own code stumbles over is skipped, logged, and confirmed."""
    stumbling = said(1)
    stumbling["message"]["text"] = "/x@bot"
    nameless = BotIdentity(1, None)  # type: ignore[arg-type]
    script = ScriptedApi([[stumbling, said(2)]])
    polls = PollLoop(script, nameless, clock, Pace(lambda: 0.5))
    assert texts(await anext(polls)) == ["2"]
    assert "update_id=1" in capsys.readouterr().err


async def test_updates_without_numbers_are_skipped_beside_others(api, make):
    """Where a number is missing the others still lead on."""
    api.updates.push_raw(735_000_001, {"message": {}})
    api.owner.say("x")
    assert texts(await anext(make())) == ["x"]


async def test_a_batch_without_any_number_is_a_failure_with_a_pause(api, make, clock):
    """Without a number nothing can be confirmed: asking on at once would spin."""
    api.updates.push_raw(735_000_001, "nonsense")
    polls = make()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_after, api, polls, 3)
        with pytest.raises(StopAsyncIteration):
            await anext(polls)
    assert clock.skipped[:2] == [about(1.0), about(1.5)]


async def _end_after(
    api: TelegramApi, polls: PollLoop, calls: int, before: Callable[[], object] = bool
) -> None:
    await api.wait_call("getUpdates", count=calls)
    before()
    polls.stop()


async def test_updates_sent_twice_or_in_disorder_come_once(api, make):
    """The same number is handed over once, whatever the order."""
    api.updates.hold()
    for text in ("a", "b", "c"):
        api.owner.say(text)
    api.updates.release(lambda held: [held[2], held[0], held[0], held[1], held[2]])
    polls = make()
    assert texts(await anext(polls)) == ["c", "a", "b"]
    api.updates.push_raw(735_000_010, {"update_id": 735_000_001, "message": {}})
    api.owner.say("d")
    assert texts(await anext(polls)) == ["d"]


async def test_numbers_may_start_anew(api, make):
    """After an idle week the server begins with any number, lower ones included."""
    polls = make()
    api.owner.say("old")
    await anext(polls)
    api.updates.renumber(1000)
    api.owner.say("young")
    assert texts(await anext(polls)) == ["young"]
    api.owner.say("younger")
    assert texts(await anext(polls)) == ["younger"]


@pytest.mark.timeout(600)
@given(st.lists(st.lists(st.integers(1, 20), min_size=1, max_size=8), min_size=1, max_size=6))
def test_each_number_is_handed_over_exactly_once(batches):
    """However updates are repeated and mixed, each comes once, in the order of first arrival."""

    async def collect() -> list[str]:
        script = ScriptedApi([[said(number) for number in batch] for batch in batches])
        polls = PollLoop(script, BOT, SkippingClock(), Pace(lambda: 0.5))
        found: list[str] = []
        script.when_empty = polls.stop
        async for batch in polls:
            found += texts(batch)
        return found

    arrived = [str(number) for batch in batches for number in batch]
    assert anyio.run(collect) == list(dict.fromkeys(arrived))


async def test_the_memory_of_numbers_is_bounded(clock):
    """A thousand numbers are remembered, and no more."""
    first = [said(number) for number in range(1, 101)]
    many = [[said(n) for n in range(100 * k, 100 * k + 100)] for k in range(2, 12)]
    polls = PollLoop(ScriptedApi([first, *many, first]), BOT, clock, Pace(lambda: 0.5))
    seen: list[Any] = []
    for _ in range(12):
        seen += await anext(polls)
    assert len(seen) == 100 + REMEMBERED_UPDATES + 100


async def test_network_errors_back_off_from_one_second_to_thirty(clock):
    """The waits double with jitter, stay below thirty seconds, and start anew after a success."""
    down = [TransportUnavailable("down") for _ in range(8)]
    script = ScriptedApi([*down, [said(1)], TransportUnavailable("down"), [said(2)]])
    polls = PollLoop(script, BOT, clock, Pace(lambda: 0.5))
    assert texts(await anext(polls)) == ["1"]
    waits = [1, 1.5, 3, 6, 12, 22.5, 22.5, 22.5]
    assert clock.skipped == [about(wait) for wait in waits]
    assert texts(await anext(polls)) == ["2"]
    assert clock.skipped[-1] == about(1)


async def test_all_of_retry_after_is_honoured(api, make, clock):
    """A 429 to the poll is waited out in full, however long."""
    api.faults.add("flood", "getUpdates", seconds=77)
    api.owner.say("x")
    assert texts(await anext(make())) == ["x"]
    assert clock.skipped == [about(77)]


async def test_a_conflict_is_waited_out_with_a_warning(api, make, clock, capsys):
    """A second poller of the same token is named, and polling goes on."""
    api.faults.add("status", "getUpdates", code=409, description="Conflict: terminated by other")
    api.owner.say("x")
    assert texts(await anext(make())) == ["x"]
    assert clock.skipped == [about(6.25)]
    printed = capsys.readouterr().err
    assert "stop the other bot that uses this token" in printed


async def test_two_pollers_end_each_other_as_on_the_real_server(api, make, clock):
    """The older poll gets the conflict; the newer one goes on."""
    older, newer = make(), make()
    found: list[list[str]] = []

    async def take(polls: PollLoop) -> None:
        found.append(texts(await anext(polls)))
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take, older)
        await api.wait_call("getUpdates")
        tasks.start_soon(take, newer)
        await api.wait_for(lambda: any(call.code == 409 for call in api.calls.calls))
        api.owner.say("x")
    assert found == [["x"]]


async def test_a_wrong_token_ends_the_loop_at_once(api, make, clock):
    """401 is not retried: the token will not heal."""
    api.revoked = True
    with pytest.raises(Unauthorized, match="check `bot_token`"):
        await anext(make())
    assert clock.skipped == []


@pytest.mark.parametrize("kind", ["drop", "drop_after", "garbage", "status"])
async def test_a_failing_poll_loses_nothing(api, make, kind):
    """After lost connections, lost answers, gateways' pages and 5xx the update still arrives."""
    api.faults.add(kind, "getUpdates", times=3)
    api.owner.say("x")
    assert texts(await anext(make())) == ["x"]
    assert len(api.calls.of("getUpdates")) >= 2


async def test_an_empty_answer_at_once_does_not_spin(clock):
    """A server that does not wait is asked with pauses."""
    polls = PollLoop(ScriptedApi([[], [], [said(1)]]), BOT, clock, Pace(lambda: 0.5))
    assert texts(await anext(polls)) == ["1"]
    assert len(clock.skipped) == 2


async def test_a_server_that_repeats_itself_at_once_does_not_spin(clock):
    """A server that forgets no update is asked with pauses; what is new is heard all the same."""
    old = [said(1), said(2)]
    script = ScriptedApi([old, old, old, old, [*old, said(3)]])
    polls = PollLoop(script, BOT, clock, Pace(lambda: 0.5))
    assert texts(await anext(polls)) == ["1", "2"]
    assert texts(await anext(polls)) == ["3"]
    assert len(clock.skipped) == 3


async def test_an_answer_that_is_no_list_is_retried(clock):
    """Nonsense under `result` is a failure like any other."""
    polls = PollLoop(ScriptedApi([{"a": 1}, [said(1)]]), BOT, clock, Pace(lambda: 0.5))
    assert texts(await anext(polls)) == ["1"]


async def test_updates_that_mean_nothing_are_confirmed_silently(api, make):
    """A batch of service messages alone is not handed over; the loop asks on."""
    polls = make()
    api.owner.say("", new_chat_title="x")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_say_when_confirmed, api)
        assert texts(await anext(polls)) == ["x"]


async def _say_when_confirmed(api: TelegramApi) -> None:
    await api.wait_for(lambda: api.updates.confirmed_below)
    api.owner.say("x")


@pytest.mark.parametrize(("waited_s", "calls"), [(0, 3), (2, 2)])
async def test_stop_ends_a_waiting_poll_and_confirms_once(api, make, clock, waited_s, calls):
    """A poll that waited for a while has confirmed already; one cut off at once may not have."""
    polls = make()
    api.owner.say("x")
    await anext(polls)
    api.updates.throttle = False
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_after, api, polls, 2, lambda: clock.skipped.append(waited_s))
        assert [batch async for batch in polls] == []
    clock.skipped.append(9)  # what happens between the stop and the confirmation does not count
    await polls.confirm()
    assert api.updates.pending == []
    assert len(api.calls.of("getUpdates")) == calls


async def test_confirm_covers_batches_that_no_poll_confirmed(api, make):
    """Accepted while the server was away: the stop confirms it, with limit 1 and no waiting."""
    polls = make()
    api.owner.say("x")
    await anext(polls)
    polls.stop()
    with pytest.raises(StopAsyncIteration):
        await anext(polls)
    await polls.confirm()
    last = api.calls.of("getUpdates")[-1]
    assert last.params == {"offset": 735_000_002, "limit": 1, "timeout": 0}
    assert api.updates.pending == []
    await polls.confirm()
    assert len(api.calls.of("getUpdates")) == 2, "once is enough"


async def test_a_batch_in_hand_is_not_confirmed_by_a_stop(api, make):
    """A batch that was handed over but not followed by another request comes again."""
    polls = make()
    api.owner.say("x")
    await anext(polls)
    polls.stop()
    await polls.confirm()
    assert len(api.updates.pending) == 1


async def test_a_failing_confirmation_is_no_error(api, make):
    """The update comes again then, and is recognised: nothing to raise for."""
    polls = make()
    api.owner.say("x")
    await anext(polls)
    polls.stop()
    with pytest.raises(StopAsyncIteration):
        await anext(polls)
    api.faults.add("drop", "getUpdates")
    await polls.confirm()
    assert len(api.updates.pending) == 1


async def test_a_cancelled_poll_leaves_no_call_behind(api, make):
    """When the caller is cancelled, the request is gone and its updates stay on the server."""
    polls = make()
    with anyio.move_on_after(5) as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anext, polls)
            await api.wait_call("getUpdates")
            tasks.cancel_scope.cancel()
    assert not scope.cancelled_caught
    api.owner.say("x")
    assert len(api.updates.pending) == 1
    assert texts(await anext(polls)) == ["x"]


async def test_the_last_completed_poll_is_known(api, make, clock):
    """A watchdog can see that polling works."""
    polls = make()
    assert polls.last_poll_at is None
    api.owner.say("x")
    await anext(polls)
    assert polls.last_poll_at == pytest.approx(clock.now(), abs=5)
