"""The transport against the stand-in."""

import pytest

from fakes.telegram_api import TelegramApi
from takopi.core.chat import Button, ButtonPressed, ChatMessage, MessageReceived, Scope
from takopi.core.richtext import Entity, RichText, plain
from takopi.telegram.transport import TelegramTransport
from takopi.transport import SendOptions

pytestmark = pytest.mark.anyio


def scope(chat_id: int = 1000) -> Scope:
    return Scope("telegram", chat_id)


async def test_a_message_arrives_and_is_answered(api: TelegramApi, transport: TelegramTransport):
    """A person's message comes as an update, and the answer stands in their chat."""
    said = api.owner.say("hello")
    batch = await anext(transport.updates())
    assert [type(update) for update in batch] == [MessageReceived]
    assert batch[0].text == "hello"
    assert batch[0].sender_id == api.owner.id
    body = RichText("Hi there", (Entity("bold", 0, 2),))
    sent = await transport.send(
        batch[0].scope, ChatMessage(body, ((Button("Cancel", "c:1"),),)), SendOptions(notify=False)
    )
    message = api.owner.chat.messages[int(sent.message_id)]
    assert message.text == "Hi there"
    assert message.entities == [{"type": "bold", "offset": 0, "length": 2}]
    assert message.buttons == [{"text": "Cancel", "callback_data": "c:1"}]
    assert not message.notify
    assert said.id < message.id


async def test_a_press_comes_back_with_the_data_of_its_button(api, transport):
    """A press carries the data, the message and the person, and can be answered."""
    ref = await transport.send(
        scope(), ChatMessage(plain("run"), ((Button("Stop", "x"),),)), SendOptions()
    )
    press = api.owner.press(api.owner.chat.messages[ref.message_id])
    (update,) = await anext(transport.updates())
    assert isinstance(update, ButtonPressed)
    assert (update.press_id, update.data, update.message_id) == (press, "x", ref.message_id)
    await transport.answer_press(update.press_id)
    assert api.world.presses[press]
