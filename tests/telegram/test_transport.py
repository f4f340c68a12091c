"""The transport against the stand-in: what is sent, and what each refusal becomes."""

from typing import Any

import pytest

from fakes.telegram_api import TelegramApi
from takopi import errors
from takopi.bridge.ports import MenuCommand, Transport
from takopi.core.chat import Button, ButtonPressed, ChatMessage, Document, MessageReceived, Scope
from takopi.core.richtext import Entity, RichText, plain
from takopi.telegram.transport import TelegramConfig, TelegramTransport
from takopi.transport import MessageRef, SendOptions

pytestmark = pytest.mark.anyio

OWNER = 1000
CANCEL = ((Button("Cancel", "c:1"),),)


def scope(chat_id: int = OWNER, thread_id: int | None = None) -> Scope:
    """Name a place."""
    return Scope("telegram", chat_id, thread_id)


def words(text: str = "hello", buttons: Any = ()) -> ChatMessage:
    """Make a message without formatting."""
    return ChatMessage(plain(text), buttons)


async def test_a_message_arrives_and_is_answered(api: TelegramApi, transport: TelegramTransport):
    """A person's message comes as an update, and the answer stands in their chat."""
    port: Transport = transport
    assert port.id == "telegram"
    said = api.owner.say("hello")
    (update,) = await anext(port.updates())
    assert isinstance(update, MessageReceived)
    assert (update.text, update.sender_id) == ("hello", api.owner.id)
    body = RichText(
        "Hi there, x.y and code",
        (
            Entity("bold", 0, 2),
            Entity("text_link", 10, 3, url="https://x.y/z"),
            Entity("pre", 18, 4, language="python"),
        ),
    )
    asked = MessageRef(update.scope.chat_id, update.message_id)
    options = SendOptions(reply_to=asked, notify=False)
    sent = await port.send(update.scope, ChatMessage(body, CANCEL), options)
    message = api.owner.chat.messages[int(sent.message_id)]
    assert message.text == body.text
    assert message.entities == [
        {"type": "bold", "offset": 0, "length": 2},
        {"type": "text_link", "offset": 10, "length": 3, "url": "https://x.y/z"},
        {"type": "pre", "offset": 18, "length": 4, "language": "python"},
    ]
    assert message.buttons == [{"text": "Cancel", "callback_data": "c:1"}]
    assert not message.notify
    assert message.reply_to is said
    assert sent == MessageRef(OWNER, message.id)
    assert sent.sender_id == transport.identity.id


async def test_nothing_is_previewed_and_a_lost_reply_target_is_no_obstacle(api, transport):
    """Previews are off, and a message whose target was deleted goes out without it."""
    said = api.owner.say("x")
    api.owner.delete(said)
    options = SendOptions(reply_to=MessageRef(OWNER, said.id))
    sent = await transport.send(scope(), words("see main.py"), options)
    assert api.owner.chat.messages[sent.message_id].reply_to is None
    params = api.calls.of("sendMessage")[0].params
    assert params == {
        "chat_id": OWNER,
        "text": "see main.py",
        "link_preview_options": {"is_disabled": True},
        "reply_parameters": {"message_id": said.id, "allow_sending_without_reply": True},
    }


async def test_a_reply_to_another_chat_is_left_out(api, transport):
    """A message of one chat is not replied to in another."""
    api.person(2000)
    options = SendOptions(reply_to=MessageRef(2000, 1))
    await transport.send(scope(), words(), options)
    assert "reply_parameters" not in api.calls.of("sendMessage")[0].params


async def test_topics_are_kept_and_general_has_no_number(api, transport):
    """A topic's message stays in it; the General topic is the chat itself."""
    chat = api.world.group(-100500, forum=True)
    topic = api.world.topic(chat.id, "work")
    sent = await transport.send(scope(chat.id, topic), words(), SendOptions())
    assert chat.messages[sent.message_id].thread_id == topic
    assert sent.thread_id == topic
    await transport.send(scope(chat.id, 1), words(), SendOptions())
    general = await transport.send(scope(chat.id), words(), SendOptions(thread_id=topic))
    assert chat.messages[general.message_id].thread_id == topic
    with pytest.raises(errors.ThreadLost):
        await transport.send(scope(chat.id, 777), words(), SendOptions())


async def test_an_edit_replaces_text_and_buttons(api, transport):
    """An edit without buttons takes them away; the same again is no error."""
    ref = await transport.send(scope(), words("one", CANCEL), SendOptions())
    message = api.owner.chat.messages[ref.message_id]
    await transport.edit(ref, words("two"))
    assert (message.text, message.keyboard, message.edits) == ("two", None, 1)
    await transport.edit(ref, words("two"))
    assert message.edits == 1


async def test_edits_of_lost_messages_say_so(api, transport):
    """A deleted target, and a message of somebody else, are lost targets."""
    ref = await transport.send(scope(), words(), SendOptions())
    api.owner.delete(api.owner.chat.messages[ref.message_id])
    with pytest.raises(errors.TargetLost):
        await transport.edit(ref, words("x"))
    theirs = api.owner.say("mine")
    with pytest.raises(errors.TargetLost):
        await transport.edit(MessageRef(OWNER, theirs.id), words("x"))


async def test_deleting_twice_is_no_error(api, transport):
    """A message that is gone already is as wanted."""
    ref = await transport.send(scope(), words(), SendOptions())
    await transport.delete(ref)
    assert api.bot_messages() == []
    await transport.delete(ref)


async def test_a_message_that_cannot_be_deleted_is_an_error(api, transport):
    """What stays on the screen is not reported as gone."""
    ref = await transport.send(scope(), words(), SendOptions())
    text = "Bad Request: message can't be deleted for everyone"
    api.faults.add("status", "deleteMessage", code=400, description=text)
    with pytest.raises(errors.TargetLost):
        await transport.delete(ref)


async def test_the_new_message_stands_before_the_old_one_goes(api, transport):
    """`replace` deletes after the new message was accepted, and never fails the send."""
    old = await transport.send(scope(), words("progress"), SendOptions())
    await transport.send(scope(), words("final"), SendOptions(replace=old))
    assert [message.text for message in api.bot_messages()] == ["final"]
    methods = [call.method for call in api.calls.calls]
    assert methods[-2:] == ["sendMessage", "deleteMessage"]
    stays = await transport.send(scope(), words("progress 2"), SendOptions())
    api.faults.add("flood", "deleteMessage")
    await transport.send(scope(), words("final 2"), SendOptions(replace=stays))
    assert [m.text for m in api.bot_messages()] == ["final", "progress 2", "final 2"]


async def test_a_press_comes_back_with_the_data_of_its_button(api, transport):
    """A press carries the data, the message and the person, and can be answered."""
    ref = await transport.send(scope(), words("run", CANCEL), SendOptions())
    press = api.owner.press(api.owner.chat.messages[ref.message_id])
    (update,) = await anext(transport.updates())
    assert isinstance(update, ButtonPressed)
    assert (update.press_id, update.data, update.message_id) == (press, "c:1", ref.message_id)
    assert update.sender_id == OWNER
    await transport.answer_press(update.press_id, "stopping" * 100)
    assert api.world.presses[press]
    await transport.answer_press("too old by now")


async def test_a_document_arrives_whole(api, transport):
    """The bytes, the name and the caption with its formatting arrive."""
    content = bytes(range(256)) * 100
    caption = RichText("the answer", (Entity("bold", 0, 3),))
    said = api.owner.say("x")
    ref = await transport.send_document(
        scope(),
        Document("answer ä.md", content, caption),
        SendOptions(reply_to=MessageRef(OWNER, said.id), notify=False),
    )
    message = api.owner.chat.messages[ref.message_id]
    assert message.document.content == content
    assert message.document.name == "answer ä.md"
    assert (message.text, message.entities) == (
        "the answer",
        [{"type": "bold", "offset": 0, "length": 3}],
    )
    assert (message.reply_to, message.notify) == (said, False)
    bare = await transport.send_document(scope(), Document("a.md", b"x"), SendOptions())
    assert api.owner.chat.messages[bare.message_id].text == ""


async def test_a_document_that_is_too_large_is_refused_with_its_reason(api, transport):
    """413 is told as what it is."""
    document = Document("big.bin", b"x" * (50 * 1024 * 1024 + 1))
    with pytest.raises(errors.TransportError, match="Request Entity Too Large"):
        await transport.send_document(scope(), document, SendOptions())


MENU = [MenuCommand("cancel", "stop the turn"), MenuCommand("help", "what can I do")]


async def test_the_menu_is_set_only_when_it_changed(api, transport):
    """A menu that is published already costs one question, and later nothing."""
    await transport.set_menu(MENU)
    await transport.set_menu(MENU)
    assert len(api.calls.of("setMyCommands")) == 1
    await transport.set_menu(MENU[:1])
    assert len(api.calls.of("setMyCommands")) == 2
    assert len(api.calls.of("getMyCommands")) == 1
    again = TelegramTransport(TelegramConfig(api.token, api.base_url))
    await again.connect()
    await again.set_menu(MENU[:1])
    await again.aclose()
    assert len(api.calls.of("setMyCommands")) == 2


async def test_a_menu_keeps_to_the_limits(api, transport):
    """A hundred commands and 256 characters are the most; more is cut, not refused."""
    await transport.set_menu([MenuCommand(f"c{n}", "d" * 300) for n in range(120)])
    (menu,) = api.world.commands.values()
    assert len(menu) == 100
    assert menu[0]["description"] == "d" * 256


async def test_a_reaction_is_put_replaced_and_taken_back(api, transport):
    """And one on a message that is gone says so."""
    said = api.owner.say("fix it")
    ref = MessageRef(OWNER, said.id)
    for emoji, shown in (("👀", ["👀"]), ("👌", ["👌"]), (None, [])):
        await transport.react(ref, emoji)
        assert said.reactions == shown
    api.owner.delete(said)
    with pytest.raises(errors.TargetLost):
        await transport.react(ref, "👀")
