"""Learning the owner: by the code, in private, in time; strangers get nothing."""

from typing import Any

import anyio
import pytest

from fakes.telegram_api import TelegramApi
from takopi.errors import Unauthorized
from takopi.telegram.api import BotIdentity, TelegramConfig
from takopi.telegram.lean_api import LeanApi
from takopi.telegram.pairing import Owner, Pairing, learn_owner
from takopi.telegram.wire import Chat, Message, User

BOT = BotIdentity(123456789, "takopi_test_bot")
RANDOM = bytes(range(16))
CODE = RANDOM.hex()
ADA = User(7, first_name="Ada", last_name="Lovelace")


def offer(now: float = 0.0) -> Pairing:
    """Make an offer whose code the test knows."""
    return Pairing.offer(BOT, RANDOM, now)


def start(text: str = f"/start {CODE}", **changes: Any) -> Message:
    """Make the message that opening the link sends."""
    fields = {"message_id": 1, "chat": Chat(7, "private"), "from_": ADA, "text": text}
    return Message(**{**fields, **changes})


def test_the_link_carries_128_random_bits():
    """The link opens the bot's chat with the whole code."""
    assert offer().link == f"https://t.me/takopi_test_bot?start={CODE}"
    assert len(bytes.fromhex(offer().code)) == 16


def test_whoever_brings_the_code_is_the_owner():
    """The owner is told by chat, person and name."""
    assert offer().accept(start(), 1.0) == Owner(7, 7, "Ada Lovelace")
    assert offer().accept(start(f" /start@takopi_test_bot {CODE}\n"), 1.0) is not None


def test_a_nameless_owner_still_has_a_name():
    """The user name, and else the number, stand in."""
    nick = start(from_=User(7, username="ada"))
    assert offer().accept(nick, 1.0).name == "ada"
    assert offer().accept(start(from_=User(7)), 1.0).name == "7"


@pytest.mark.parametrize(
    "message",
    [
        None,
        start("/start"),
        start("hello"),
        start(CODE),
        start(f"/start {CODE[:-1]}"),
        start(f"/start {CODE[:-1]}x"),
        start(f"/start {CODE} now"),
        start(f"/start {CODE.upper()}"),
        start("/start ä"),
        start(None),
        start(chat=Chat(-100, "supergroup")),
        start(chat=Chat(-5, "channel")),
        start(from_=None),
        start(from_=User(8, is_bot=True)),
        start(sender_chat={"id": -100}),
        start(forward_origin={"type": "user"}),
    ],
)
def test_nobody_else_is(message):
    """Other texts, other places, forwards, bots and channels do not pair."""
    assert offer().accept(message, 1.0) is None


def test_the_code_expires_after_ten_minutes():
    """At the end of the tenth minute the code is worth nothing."""
    assert offer(now=100).accept(start(), 699.9) is not None
    assert offer(now=100).accept(start(), 700.0) is None


@pytest.fixture
async def client(api: TelegramApi):
    """Connect as set-up does, without aiogram."""
    lean = LeanApi(TelegramConfig(api.token, api.base_url))
    yield lean
    await lean.aclose()


@pytest.mark.anyio
async def test_a_stranger_who_writes_first_gets_no_call(api, client, clock):
    """Only the owner hears of it, and their start does not come again as a prompt."""
    mallory = api.person(666, "Mallory")
    api.world.group(-100500)
    mallory.say("hi, it is me")
    mallory.say("/start " + "0" * 32)
    mallory.say(f"/start {CODE}", -100500)
    api.updates.push_raw(735_000_900, {"update_id": 735_000_900, "message": 5})
    api.owner.say(f"/start {CODE}")
    owner = await learn_owner(client, offer(clock.now()), clock, jitter=lambda: 0.5)
    assert owner == Owner(1000, 1000, "Ada")
    assert api.bot_messages(666) == []
    assert [m.text for m in api.bot_messages()] == [
        "This is your takopi now. Go on in the terminal where you started it."
    ]
    assert {call.method for call in api.calls.calls} == {"getUpdates", "sendMessage"}
    assert api.updates.pending == []


@pytest.mark.anyio
async def test_what_comes_after_the_owner_stays_for_the_bot(api, client, clock):
    """A prompt sent right after the code is not eaten by the set-up."""
    api.owner.say(f"/start {CODE}")
    api.owner.say("first prompt")
    assert await learn_owner(client, offer(clock.now()), clock, jitter=lambda: 0.5)
    assert len(api.updates.pending) == 1


@pytest.mark.anyio
async def test_failures_on_the_way_are_waited_out(api, client, clock):
    """Lost connections do not end the pairing; failures of the welcome do not undo it."""
    api.faults.add("drop", "getUpdates")
    api.faults.add("flood", "getUpdates", seconds=5)
    api.faults.add("status", "sendMessage")
    api.owner.say(f"/start {CODE}")
    assert await learn_owner(client, offer(clock.now()), clock, jitter=lambda: 0.5)
    assert len(clock.skipped) >= 1


@pytest.mark.anyio
async def test_nobody_came_in_time(api, client, clock):
    """After ten minutes of failures there is no owner, and no error either."""
    api.faults.add("status", "getUpdates", times=1000)
    assert await learn_owner(client, offer(clock.now()), clock, jitter=lambda: 0.5) is None
    assert sum(clock.skipped) == pytest.approx(600, abs=31)


@pytest.mark.anyio
async def test_a_late_poll_still_ends_in_time(api, client, clock):
    """The last poll waits only for what is left of the ten minutes."""
    pairing = offer(clock.now() - 599)
    async with anyio.create_task_group() as tasks:
        found: list[Owner | None] = []

        async def learn() -> None:
            found.append(await learn_owner(client, pairing, clock, jitter=lambda: 0.5))

        tasks.start_soon(learn)
        call = await api.wait_call("getUpdates")
        assert call.params["timeout"] == 1
        clock.skipped.append(2)
        api.owner.say(f"/start {CODE}")
    assert found == [None]


@pytest.mark.anyio
async def test_a_revoked_token_ends_the_pairing(api, client, clock):
    """Nothing can be learned with a dead token."""
    api.revoked = True
    with pytest.raises(Unauthorized):
        await learn_owner(client, offer(clock.now()), clock, jitter=lambda: 0.5)
