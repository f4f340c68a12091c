"""Learning a chat: by the code, from an allowed person, without taking prompts from the bot."""

from typing import Any

import pytest

from fakes.telegram_api import OWNER_ID, TelegramApi
from takopi.errors import Unauthorized, UsageError
from takopi.telegram.api import BotIdentity, TelegramConfig
from takopi.telegram.chat_code import ChatCode, LearnedChat, learn_chat
from takopi.telegram.lean_api import LeanApi
from takopi.telegram.wire import Chat, Message, User

BOT = BotIdentity(123456789, "takopi_test_bot")
CODE = "00010203"
GROUP = -100500


def offer(now: float = 0.0) -> ChatCode:
    """Make an offer whose code the test knows."""
    return ChatCode.offer(BOT, frozenset({OWNER_ID}), bytes(range(4)), now)


def written(text: str = f"/start {CODE}", **changes: Any) -> Message:
    """Make the message that holds the code."""
    fields = {"message_id": 1, "chat": Chat(GROUP, "supergroup"), "from_": User(OWNER_ID)}
    return Message(**{**fields, "text": text, **changes})


def test_the_code_names_the_chat_it_is_written_in():
    """A group, a private chat; typed by hand or by the link."""
    assert offer().text == f"/start@takopi_test_bot {CODE}"
    assert offer().link == f"https://t.me/takopi_test_bot?startgroup={CODE}"
    assert offer().accept(written(offer().text), 1.0) == LearnedChat(GROUP, "supergroup")
    private = written(chat=Chat(OWNER_ID, "private"))
    assert offer().accept(private, 599.9) == LearnedChat(OWNER_ID, "private")
    assert offer().accept(private, 600.0) is None


@pytest.mark.parametrize(
    "message",
    [
        None,
        written(CODE),
        written("/start 00000000"),
        written(f"/start {CODE} now"),
        written(None),
        written(from_=None),
        written(from_=User(666)),
        written(from_=User(OWNER_ID, is_bot=True)),
        written(sender_chat={"id": GROUP}),
        written(forward_origin={"type": "user"}),
    ],
)
def test_nobody_else_and_nothing_else_does(message):
    """Strangers, bots, channels and forwards name no chat."""
    assert offer().accept(message, 1.0) is None


@pytest.fixture
async def client(api: TelegramApi):
    """Connect without aiogram."""
    lean = LeanApi(TelegramConfig(api.token, api.base_url))
    yield lean
    await lean.aclose()


@pytest.mark.anyio
async def test_prompts_that_wait_stay_for_the_bot(api, client, clock):
    """Strangers get no call; what was written before and after the code is still there."""
    api.world.group(GROUP)
    api.owner.say("a prompt while the bot is away")
    api.person(666, "Mallory").say(f"/start {CODE}", GROUP)
    api.owner.say(f"/start@takopi_test_bot {CODE}", GROUP)
    found = await learn_chat(client, offer(clock.now()), clock, jitter=lambda: 0.5)
    assert found == LearnedChat(GROUP, "supergroup")
    assert [m.text for m in api.bot_messages()] == [
        "This chat is known now. Go on in the terminal."
    ]
    assert len(api.updates.pending) == 3


@pytest.mark.anyio
async def test_the_code_alone_is_not_left_for_the_bot(api, client, clock):
    """With nothing before it, it is confirmed; failures on the way do not matter."""
    api.world.group(GROUP)
    api.faults.add("drop", "getUpdates")
    api.faults.add("status", "sendMessage")
    api.owner.say(f"/start {CODE}", GROUP)
    api.owner.say("a prompt")
    assert await learn_chat(client, offer(clock.now()), clock, jitter=lambda: 0.5)
    assert len(api.updates.pending) == 1


@pytest.mark.anyio
async def test_nobody_wrote_it_in_time(api, client, clock):
    """Others' messages are looked at every two seconds, and the time ends."""
    api.owner.say("hello")
    api.updates.push_raw(735_000_900, {"update_id": 735_000_900, "message": 5})
    assert await learn_chat(client, offer(clock.now()), clock, jitter=lambda: 0.5) is None
    assert sum(clock.skipped) == pytest.approx(600, abs=3)
    assert len(api.updates.pending) == 2


@pytest.mark.anyio
async def test_a_full_queue_is_told(api, client, clock):
    """The code could not be seen behind a hundred messages."""
    for _ in range(100):
        api.owner.say("hello")
    with pytest.raises(UsageError, match="more than a hundred messages wait"):
        await learn_chat(client, offer(clock.now()), clock, jitter=lambda: 0.5)


@pytest.mark.anyio
async def test_a_revoked_token_ends_the_learning(api, client, clock):
    """Nothing can be learned with a dead token."""
    api.revoked = True
    with pytest.raises(Unauthorized):
        await learn_chat(client, offer(clock.now()), clock, jitter=lambda: 0.5)
