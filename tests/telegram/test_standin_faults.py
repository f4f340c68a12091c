"""The stand-in fails in every way that the real one fails, where and when it is told to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, get_args

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.telegram_api import TelegramApi, disorder, random_faults
from fakes.telegram_api.faults import Fault, FaultKind
from fakes.telegram_api.queue import KEPT_S, UpdateQueue

pytestmark = pytest.mark.anyio

OWNER = 1000


class Bot:
    """Call methods plainly."""

    def __init__(self, api: TelegramApi, session: aiohttp.ClientSession) -> None:
        self._api, self._session = api, session

    async def ask(self, method: str, **params: Any) -> Any:
        """Return the whole answer; what is no answer raises."""
        address = f"{self._api.base_url}/bot{self._api.token}/{method}"
        async with self._session.post(address, json=params) as response:
            return await response.json()

    async def send(self, text: str = "x", chat_id: int = OWNER, **params: Any) -> Any:
        return await self.ask("sendMessage", chat_id=chat_id, text=text, **params)


@pytest.fixture
async def bot(api: TelegramApi) -> AsyncIterator[Bot]:
    """Connect a client that knows nothing."""
    async with aiohttp.ClientSession() as session:
        yield Bot(api, session)


async def test_a_flood_hits_one_chat_and_one_method(api, bot):
    """`retry_after` is what was asked for; other chats and methods go on."""
    api.person(2000)
    api.faults.add("flood", "sendMessage", seconds=17, chat_id=OWNER, times=2)
    for _ in range(2):
        assert (await bot.send())["parameters"] == {"retry_after": 17}
    assert (await bot.send(chat_id=2000))["ok"]
    assert (await bot.ask("sendChatAction", chat_id=OWNER, action="typing"))["ok"]
    assert (await bot.send())["ok"]
    assert api.faults.left == 0


@pytest.mark.parametrize(
    ("kind", "done"),
    [("drop", False), ("drop_after", True), ("hang", False), ("hang_after", True)],
)
async def test_connections_break_before_and_after_acceptance(api, bot, kind, done):
    """Whoever calls learns nothing; the chat tells which it was."""
    api.faults.add(kind, "sendMessage", release_after_s=0.01)
    with pytest.raises(aiohttp.ClientError):
        await bot.send()
    assert len(api.bot_messages()) == done
    assert (await bot.send())["ok"]


@pytest.mark.parametrize("kind", ["slow", "slow_after"])
async def test_slow_answers(api, bot, kind):
    """The one is carried out late, the other at once; both are answered late."""
    api.faults.add(kind, "sendMessage", seconds=0.05)
    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(bot.send())
        await api.wait_for(lambda: api.calls.of("sendMessage"))
        if kind == "slow_after":
            await api.wait_for(api.bot_messages)
            assert not call.done()
        else:
            assert api.bot_messages() == []
    assert call.result()["ok"]


async def test_a_hanging_call_is_let_go_by_hand(api, bot):
    """Without a time of its own a call hangs until somebody lets it go."""
    fault = api.faults.add("hang", "sendMessage")
    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(_broken(bot))
        await api.wait_for(lambda: fault.hits)
        api.faults.clear()
    assert call.done()


async def _broken(bot: Bot) -> None:
    with pytest.raises(aiohttp.ClientError):
        await bot.send()


async def test_a_target_is_deleted_just_before_its_edit(api, bot):
    """The edit and the deletion fail as they do when a person was quicker."""
    for method in ("editMessageText", "deleteMessage"):
        sent = (await bot.send())["result"]["message_id"]
        api.faults.add("lose_target", method)
        more = {"text": "y"} if method == "editMessageText" else {}
        answer = await bot.ask(method, chat_id=OWNER, message_id=sent, **more)
        assert answer["description"].endswith("not found")
        assert api.owner.chat.messages[sent].deleted


async def test_a_reply_target_is_deleted_just_before(api, bot):
    """Calls that reply to nothing are not hit; one that insists is refused."""
    api.faults.add("lose_reply", "sendMessage", times=2)
    assert (await bot.send())["ok"]
    for insist in (True, False):
        said = api.owner.say("question")
        reply = {"message_id": said.id, "allow_sending_without_reply": not insist}
        answer = await bot.send(reply_parameters=reply)
        assert answer["ok"] is not insist
        assert said.deleted
    assert "reply_to_message" not in answer["result"]


async def test_a_topic_is_deleted_just_before(api, bot):
    """Its messages go with it, and nothing can be sent there any more."""
    forum = api.world.group(-100500, forum=True)
    topic = api.world.topic(forum.id, "work")
    before = (await bot.send(chat_id=forum.id, message_thread_id=topic))["result"]["message_id"]
    api.faults.add("lose_topic")
    answer = await bot.send(chat_id=forum.id, message_thread_id=topic)
    assert answer["description"] == "Bad Request: message thread not found"
    assert forum.messages[before].deleted
    assert (await bot.send(chat_id=forum.id))["ok"]


async def test_entities_are_refused_and_plain_text_passes(api, bot):
    """Only calls with formatting are hit."""
    api.faults.add("refuse_format")
    assert (await bot.send())["ok"]
    answer = await bot.send(entities=[{"type": "bold", "offset": 0, "length": 1}])
    assert answer["error_code"] == 400
    assert "can't parse entities" in answer["description"]


async def test_losses_of_what_nobody_knows_harm_nobody(api, bot):
    """A chat or message that never was cannot be lost."""
    for kind in ("lose_target", "lose_reply"):
        api.faults.add(kind)
    assert not (await bot.ask("deleteMessage", chat_id=77, message_id=1))["ok"]
    assert not (await bot.send(reply_parameters={"message_id": 12345}))["ok"]


def test_a_kind_that_is_none_is_refused():
    """A slip of the pen in a test is told at once."""
    with pytest.raises(ValueError, match="'lose_all' is no kind of fault"):
        Fault("lose_all")  # type: ignore[arg-type]


async def test_a_fault_can_wait_its_turn(api, bot):
    """So many calls pass before."""
    api.faults.add("status", "sendMessage", skip=2)
    assert [(await bot.send())["ok"] for _ in range(4)] == [True, True, False, True]


@given(st.integers(), st.integers(0, 30))
def test_the_same_seed_makes_the_same_faults(seed, count):
    """A failure by chance can be seen again, and every fault fits what it hits."""
    first, second = (
        [(f.kind, f.method, f.times, f.skip, f.code, f.seconds) for f in random_faults(seed, count)]
        for _ in range(2)
    )
    assert first == second
    assert len(first) == count
    for kind, method, *_ in first:
        assert kind in get_args(FaultKind)
        assert method != "getUpdates" or not kind.startswith(("lose", "refuse"))


async def test_every_kind_comes_by_chance(api):
    """Nothing is left out."""
    made = api.faults.add_random(1, 600)
    assert {fault.kind for fault in made} == set(get_args(FaultKind))
    assert api.faults.left >= 600


def held(count: int) -> list[tuple[int, Any]]:
    """Make what a queue keeps back."""
    return [(n, {"update_id": n, "message": {"text": str(n)}}) for n in range(50, 50 + count)]


@given(st.integers(), st.integers(0, 30), st.integers(0, 6), st.sampled_from([0.0, 0.3, 1.0]))
def test_disorder_loses_nothing_and_numbers_never_fall(seed, count, reach, repeats):
    """Each update comes at least once, moves a few places at most, and the seed decides all."""
    before = held(count)
    after = disorder(seed, reach=reach, repeats=repeats)(before)
    assert after == disorder(seed, reach=reach, repeats=repeats)(before)
    numbers = [number for number, _ in after]
    assert numbers == sorted(numbers)
    assert all(update["update_id"] == number for number, update in after)
    texts = [update["message"]["text"] for _, update in after]
    assert set(texts) == {str(number) for number, _ in before}
    first_seen = list(dict.fromkeys(texts))
    for place, text in enumerate(first_seen):
        assert abs(int(text) - 50 - place) <= reach
    if repeats == 0:
        assert len(texts) == count


def test_disorder_passes_on_what_it_cannot_number():
    """Poison stays poison."""
    assert disorder(1, repeats=0)([(3, "poison")]) == [(3, "poison")]


async def test_released_updates_come_in_disorder(api, bot):
    """A queue that was held delivers all of it, some of it twice."""
    api.updates.hold()
    for number in range(20):
        api.owner.say(str(number))
    api.updates.release(disorder(3))
    found = (await bot.ask("getUpdates", timeout=5))["result"]
    texts = [update["message"]["text"] for update in found]
    assert set(texts) == {str(number) for number in range(20)}
    assert texts != sorted(texts, key=int)
    assert len(texts) > 20
    assert api.updates.push("message", {}) > found[-1]["update_id"]


async def test_updates_wait_for_a_bot_that_is_away_for_a_day_and_no_longer():
    """A restart loses nothing; a bot that stays away for longer finds them gone."""
    now = [1000.0]
    queue = UpdateQueue(1, lambda: now[0])
    queue.push("message", {"text": "old"})
    now[0] += KEPT_S - 1
    queue.push("message", {"text": "young"})
    assert [update["update_id"] for update in await queue.get({})] == [1, 2]
    now[0] += 5
    assert [update["update_id"] for update in await queue.get({})] == [2]


async def test_a_server_that_stops_keeps_what_it_knows(api, bot):
    """An outage: nobody answers for a while, then everything is as it was."""
    api.owner.say("waiting")
    await api.stop()
    with pytest.raises(aiohttp.ClientError):
        await bot.send()
    await api.start()
    (update,) = (await bot.ask("getUpdates", timeout=5))["result"]
    assert update["message"]["text"] == "waiting"
