"""The transport when things go wrong: every refusal is a decision, and the end is orderly."""

from typing import Any

import anyio
import pytest

from takopi import errors
from takopi.core.chat import Button, ChatMessage, Document, Scope
from takopi.core.richtext import Entity, RichText, plain
from takopi.telegram.transport import TelegramConfig, TelegramTransport
from takopi.transport import MessageRef, SendOptions

pytestmark = pytest.mark.anyio

OWNER = 1000


def scope(chat_id: int = OWNER) -> Scope:
    """Name a place."""
    return Scope("telegram", chat_id)


def words(text: str = "hello", buttons: Any = ()) -> ChatMessage:
    """Make a message without formatting."""
    return ChatMessage(plain(text), buttons)


FAULTS = [
    ({"kind": "flood", "seconds": 1234}, errors.FloodLimited),
    ({"kind": "status", "code": 502, "description": "Bad Gateway"}, errors.TransportUnavailable),
    ({"kind": "garbage"}, errors.TransportUnavailable),
    ({"kind": "drop"}, errors.TransportUnavailable),
    ({"kind": "drop_after"}, errors.TransportUnavailable),
    (
        {"kind": "status", "code": 403, "description": "Forbidden: bot was blocked by the user"},
        errors.ChatLost,
    ),
    ({"kind": "status", "code": 401, "description": "Unauthorized"}, errors.Unauthorized),
]


@pytest.mark.parametrize(("fault", "leaf"), FAULTS)
@pytest.mark.parametrize("method", ["sendMessage", "sendDocument", "editMessageText"])
async def test_every_fault_is_a_leaf_without_the_token(api, transport, fault, leaf, method):
    """What goes wrong arrives as a decision, and neither its text nor its cause has the token."""
    ref = await transport.send(scope(), words("before"), SendOptions())
    api.faults.add(method=method, **fault)
    calls = {
        "sendMessage": lambda: transport.send(scope(), words(), SendOptions()),
        "sendDocument": lambda: transport.send_document(
            scope(), Document("a", b"x"), SendOptions()
        ),
        "editMessageText": lambda: transport.edit(ref, words("after")),
    }
    with pytest.raises(leaf) as caught:
        await calls[method]()
    error: BaseException | None = caught.value
    assert type(error) is leaf
    while error is not None:
        assert api.token not in f"{error} {error!r} {error.args}"
        error = error.__cause__ or error.__context__
    if isinstance(caught.value, errors.FloodLimited):
        assert caught.value.retry_after_s == 1234


async def test_a_lost_answer_may_have_been_accepted(api, transport):
    """After `drop_after` the message stands although the call failed; the error says so."""
    api.faults.add("drop_after", "sendMessage")
    with pytest.raises(errors.TransportUnavailable) as caught:
        await transport.send(scope(), words("once"), SendOptions())
    assert caught.value.maybe_accepted
    assert [message.text for message in api.bot_messages()] == ["once"]


async def test_a_hanging_send_does_not_delay_polls_or_other_sends(api, transport):
    """One chat's hanging call leaves updates and other messages alone."""
    fault = api.faults.add("hang", "sendMessage")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_hangs, transport)
        await api.wait_for(lambda: fault.hits)
        await transport.send(scope(), words("second"), SendOptions())
        api.owner.say("still here?")
        (update,) = await anext(transport.updates())
        assert update.text == "still here?"
        fault.release()
    assert [message.text for message in api.bot_messages()] == ["second"]


async def _hangs(transport: TelegramTransport) -> None:
    with pytest.raises(errors.TransportUnavailable):
        await transport.send(scope(), words("first"), SendOptions())


async def test_lost_chats_and_moved_groups(api, transport):
    """A blocked bot, an unknown chat and a group with a new id each say what they are."""
    api.owner.chat.lost = "Forbidden: bot was blocked by the user"
    with pytest.raises(errors.ChatLost):
        await transport.send(scope(), words(), SendOptions())
    with pytest.raises(errors.ChatLost):
        await transport.send(scope(424242), words(), SendOptions())
    api.world.group(-77).migrated_to = -77
    with pytest.raises(errors.ChatMoved) as caught:
        await transport.send(scope(-77), words(), SendOptions())
    assert (caught.value.chat_id, caught.value.new_chat_id) == (-77, -77)


async def test_what_goes_to_a_group_that_moved_arrives_where_it_is_now(api, transport, capsys):
    """The new id is learnt from the refusal, told once, and used; old messages stay behind."""
    api.world.group(-77)
    old = await transport.send(scope(-77), words("before"), SendOptions())
    said = api.owner.say("a question", -77)
    api.world.group(-77).migrated_to = -100200
    api.world.group(-100200)
    for _ in range(2):
        # A message of the new group may have the number of the old one that is replied to.
        options = SendOptions(reply_to=MessageRef(-77, said.id), replace=old)
        new = await transport.send(scope(-77), words("after"), options)
        assert (new.channel_id, new.thread_id) == (-100200, None)
        assert api.world.chats[-100200].messages[new.message_id].reply_to is None
    assert len(api.calls.of("sendMessage")) == 4
    ref = await transport.send_document(scope(-77), Document("a", b"x"), SendOptions())
    assert ref.channel_id == -100200
    await transport.edit(new, words("edited"))
    for change in (lambda: transport.edit(old, words("x")), lambda: transport.delete(old)):
        with pytest.raises(errors.TargetLost, match="-100200"):
            await change()
    assert capsys.readouterr().err.count("telegram.group_moved (chat=-77 now=-100200)") == 1


async def test_an_edit_learns_of_a_move_as_well(api, transport):
    """The first call that the server refuses so tells all later ones where to go."""
    api.world.group(-77)
    old = await transport.send(scope(-77), words("before"), SendOptions())
    api.world.group(-77).migrated_to = -100200
    api.world.group(-100200)
    with pytest.raises(errors.TargetLost):
        await transport.edit(old, words("x"))
    await transport.send(scope(-77), words("after"), SendOptions())
    assert [call.params["chat_id"] for call in api.calls.of("sendMessage")] == [-77, -100200]


@pytest.mark.parametrize(
    "message",
    [
        ChatMessage(RichText("ab", (Entity("bold", 1, 5),))),
        ChatMessage(RichText("a\U0001f600", (Entity("bold", 2, 1),))),
        ChatMessage(RichText("x", (Entity("text_link", 0, 1, url="http://localhost:8/x"),))),
        ChatMessage(RichText("x", (Entity("text_link", 0, 1, url="src/main"),))),
        ChatMessage(plain("x"), ((Button("b", "d" * 65),),)),
    ],
)
async def test_refused_formatting_is_told_as_such(transport, message):
    """Bad ranges, bad links and bad buttons ask for plain text instead."""
    with pytest.raises(errors.FormatRefused):
        await transport.send(scope(), message, SendOptions())


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4097, "\U0001f600" * 9000])
async def test_text_that_cannot_be_sent_at_all(transport, text):
    """An empty or too long text is a plain refusal that repeating would not mend."""
    with pytest.raises(errors.TransportError) as caught:
        await transport.send(scope(), words(text), SendOptions())
    assert type(caught.value) is errors.TransportError


async def test_halves_of_symbols_do_not_stop_a_message(api, transport):
    """A lone surrogate, as a cut-off JSON string holds one, becomes a replacement character."""
    body = RichText("a\ud83d b \ude00\ud83d\ude00", (Entity("bold", 3, 1),))
    message = ChatMessage(body, ((Button("\ud83d", "d"),),))
    ref = await transport.send(scope(), message, SendOptions())
    shown = api.owner.chat.messages[ref.message_id]
    assert shown.text == "a\ufffd b \ufffd\U0001f600"
    assert shown.buttons[0]["text"] == "\ufffd"
    caption = plain("\udfff")
    ref = await transport.send_document(
        scope(), Document("\ud83d.md", b"x", caption), SendOptions()
    )
    shown = api.owner.chat.messages[ref.message_id]
    assert (shown.text, shown.document.name) == ("\ufffd", "\ufffd.md")


async def test_connecting_waits_for_the_network(api, clock):
    """A bot that starts before its network is there starts once it is; floods are waited out."""
    api.faults.add("status", "getMe", times=3)
    api.faults.add("flood", "getMe", seconds=9)
    transport = TelegramTransport(
        TelegramConfig(api.token, api.base_url + "/"), clock=clock, jitter=lambda: 0.0
    )
    assert (await transport.connect()).username == "takopi_test_bot"
    assert len(clock.skipped) == 4
    assert clock.skipped[-1] == pytest.approx(9, abs=0.05)
    assert await transport.connect() == transport.identity
    await transport.aclose()


@pytest.mark.parametrize("token", ["nonsense", "123:", "12 3:abc", "999:AAAAAAAAAAAAAAAAAAAAAAAA"])
async def test_a_wrong_token_is_told_at_once(api, token):
    """Neither a malformed nor an unknown token is retried."""
    transport = TelegramTransport(TelegramConfig(token, api.base_url))
    with pytest.raises(errors.Unauthorized, match="bot_token"):
        await transport.connect()
    await transport.aclose()


async def test_the_configuration_does_not_show_its_token(api):
    """Printing the configuration is harmless."""
    assert api.token not in repr(TelegramConfig(api.token))


async def test_closing_confirms_what_was_accepted(api, clock):
    """After a stop the server delivers nothing again, and the iteration is over."""
    transport = TelegramTransport(TelegramConfig(api.token, api.base_url), clock=clock)
    assert transport.last_poll_at is None
    await transport.connect()
    transport.stop()
    api.owner.say("x")
    polls = transport.updates()
    await anext(polls)
    assert transport.last_poll_at is not None
    transport.stop()
    with pytest.raises(StopAsyncIteration):
        await anext(polls)
    assert len(api.updates.pending) == 1
    await transport.aclose()
    assert api.updates.pending == []
    await transport.aclose()


async def test_closing_does_not_wait_for_a_hanging_server(api, clock):
    """A server that hangs delays the end by the confirmation's limit and no more."""
    transport = TelegramTransport(TelegramConfig(api.token, api.base_url), clock=clock)
    await transport.connect()
    polls = transport.updates()
    api.owner.say("x")
    await anext(polls)
    transport.stop()
    with pytest.raises(StopAsyncIteration):
        await anext(polls)
    api.faults.add("hang", "getUpdates")
    with anyio.fail_after(5):
        await transport.aclose()
