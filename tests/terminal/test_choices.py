"""What the next line of a terminal goes to: a button by its number, a session that was taken up."""

import pytest

from fakes.terminal_chat import Chat
from takopi.core.chat import Button, ButtonPressed, ChatMessage
from takopi.core.replies import code, message
from takopi.core.richtext import plain
from takopi.terminal.transport import CHAT_ID, SCOPE
from takopi.transport import MessageRef, SendOptions

pytestmark = pytest.mark.anyio

BUTTONS = ((Button("1. Refresh", "x:status"),), (Button("Leave", "x:leave"),))


@pytest.mark.parametrize("one_by_one", [False, True])
async def test_buttons_of_another_kind_are_pressed_by_their_number(one_by_one: bool) -> None:
    """Only a Cancel button says that something goes on; what comes from a pipe is not offered."""
    chat = Chat(one_by_one=one_by_one)
    prompt = await chat.prompt("/status")
    ref = await chat.transport.send(
        SCOPE,
        ChatMessage(plain("nothing runs"), BUTTONS),
        SendOptions(reply_to=MessageRef(CHAT_ID, prompt.message_id)),
    )
    offered = [] if one_by_one else ["note /1 Refresh   /2 Leave"]
    assert chat.screen.taken() == ["say nothing runs", *offered]
    assert not chat.transport.busy
    await chat.transport.feed("/2")
    press = await chat.update()
    assert isinstance(press, ButtonPressed)
    assert (press.data, press.message_id) == ("x:leave", ref.message_id)
    await chat.transport.feed("/3")
    await chat.none_comes()
    await chat.edit(ref, "left")
    await chat.transport.feed("/1")
    await chat.none_comes()
    told = chat.screen.taken()
    assert told == ["note nothing here is chosen by /3", "say left", told[-1]]
    assert told[-1] == "note nothing here is chosen by /1"


async def test_other_buttons_below_the_same_words_are_offered() -> None:
    """As when a button asks whether that was meant; those that stay are not shown again."""
    chat = Chat()
    ref = await chat.transport.send(SCOPE, ChatMessage(plain("a list"), BUTTONS), SendOptions())
    await chat.transport.edit(ref, ChatMessage(plain("a list"), BUTTONS[1:]))
    await chat.transport.edit(ref, ChatMessage(plain("a list"), BUTTONS[1:]))
    assert chat.screen.taken() == ["say a list", "note /1 Refresh   /2 Leave", "note /1 Leave"]


TAKEN_UP = message("Reply to this.\n\n", code("pi --session 7"))


@pytest.mark.parametrize("way", ["line", "button", "wrong", "nobody"])
async def test_a_session_that_is_taken_up_goes_on(way: str) -> None:
    """The next line replies to what names it; other answers and other turns lead nowhere else."""
    chat = Chat()
    first = await chat.prompt("hello")
    await chat.send("done", first, replace=await chat.send("working", first, cancel="cancel:1"))
    asked = await chat.prompt("/resume 7" if way in ("line", "wrong") else "/sessions")
    if way == "button":
        await chat.transport.send(SCOPE, ChatMessage(plain("7"), BUTTONS), SendOptions())
        await chat.transport.feed("/1")
        await chat.update()
    names = message("It is gone. Try ", code("/resume 8")) if way == "wrong" else TAKEN_UP
    reply_to = MessageRef(CHAT_ID, asked.message_id) if way in ("line", "wrong") else None
    ref = await chat.transport.send(SCOPE, names, SendOptions(reply_to=reply_to))
    following = await chat.prompt("more")
    assert following.reply is not None
    goes_on_there = way in ("line", "button")
    assert (following.reply.message_id == ref.message_id) is goes_on_there
    assert ("note the next line goes on in that session" in chat.screen.log) is goes_on_there


async def test_what_a_schedule_asked_is_another_conversation() -> None:
    """It answers nobody's line, so the next line still goes on with the last answer."""
    chat = Chat()
    first = await chat.prompt("hello")
    final = await chat.send(
        "done", first, replace=await chat.send("working", first, cancel="cancel:1")
    )
    progress = await chat.send("working", cancel="cancel:2")
    await chat.send("done by itself", replace=progress)
    following = await chat.prompt("more")
    assert following.reply is not None
    assert following.reply.message_id == final.message_id
