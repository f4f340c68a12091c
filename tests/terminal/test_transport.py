"""The terminal as a chat: prompts in, messages out, one conversation."""

import errno

import anyio
import pytest

from fakes.terminal_chat import Chat
from takopi.bridge.ports import MenuCommand
from takopi.core.chat import (
    ButtonPressed,
    Document,
    MessageReceived,
)
from takopi.core.richtext import plain
from takopi.terminal.transport import CHAT_ID, SCOPE, WAITING_LINES, TerminalTransport
from takopi.transport import MessageRef, SendOptions

pytestmark = pytest.mark.anyio


async def test_a_prompt_answers_the_last_message_of_the_conversation() -> None:
    """So the bridge goes on in its session; the first prompt answers nothing."""
    chat = Chat()
    first = await chat.prompt("hello")
    assert (first.reply, first.text, first.sender_id) == (None, "hello", CHAT_ID)
    progress = await chat.send("working", first, cancel="cancel:1")
    second = await chat.prompt("more")
    assert second.reply is not None
    assert (second.reply.message_id, second.reply.from_this_bot) == (progress.message_id, True)
    final = await chat.send("done", first, replace=progress)
    await chat.send("refused", second)
    third = await chat.prompt("and more")
    assert third.reply is not None
    assert (third.reply.message_id, third.reply.text) == (final.message_id, "done")
    assert chat.transport.id == "terminal"


async def test_answers_to_commands_are_no_part_of_the_conversation() -> None:
    """The next prompt still answers the last turn."""
    chat = Chat()
    first = await chat.prompt("hello")
    progress = await chat.send("working", first, cancel="cancel:1")
    final = await chat.send("done", first, replace=progress)
    await chat.send("help text", await chat.prompt("/help"))
    await chat.send("out of the blue")
    following = await chat.prompt("more")
    assert following.reply is not None
    assert following.reply.message_id == final.message_id


async def test_new_and_another_engine_begin_a_conversation() -> None:
    """`/new` forgets the last message; a line for an engine has one of its own."""
    chat = Chat()
    first = await chat.prompt("hello")
    await chat.send("done", first, replace=await chat.send("working", first, cancel="cancel:1"))
    assert (await chat.prompt("/pi hello")).reply is None
    assert (await chat.prompt("still here")).reply is not None
    await chat.transport.feed("/new")
    assert (await chat.prompt("afresh")).reply is None
    assert "note new conversation" in chat.screen.log


async def test_lines_typed_quickly_are_one_conversation() -> None:
    """What comes before anything was shown of a prompt answers the prompt, and no command."""
    chat = Chat()
    before = await chat.prompt("hello")
    shown = await chat.send("working", before, cancel="cancel:1")
    await chat.transport.feed("/new")
    one = await chat.prompt("one")
    status = await chat.prompt("/status")
    two = await chat.prompt("two")
    assert [line.reply and line.reply.message_id for line in (one, status, two)] == [
        None,
        one.message_id,
        one.message_id,
    ]
    assert two.reply is not None
    assert not two.reply.from_this_bot
    other = await chat.prompt("/pi three")
    assert other.reply is None
    following = await chat.prompt("four")
    assert following.reply is not None
    assert following.reply.message_id == other.message_id
    await chat.send("hello done", before, replace=shown)
    newest = await chat.send("queued", following, cancel="cancel:2")
    await chat.send("one done", one)
    last = await chat.prompt("five")
    assert last.reply is not None
    assert last.reply.message_id == newest.message_id


async def test_what_was_left_behind_is_not_gone_on_from() -> None:
    """`/new` holds although the turn before it ends only then, and until there is another one."""
    chat = Chat()
    before = await chat.prompt("hello")
    shown = await chat.send("working", before, cancel="cancel:1")
    await chat.transport.feed("/new")
    await chat.none_comes()
    await chat.send("done", before, replace=shown)
    afresh = await chat.prompt("afresh")
    assert afresh.reply is None
    await chat.send("refused", afresh)
    assert (await chat.prompt("again")).reply is None


async def test_a_pipe_waits_for_each_answer() -> None:
    """The next prompt is handed on when the one before is answered; blank lines are nothing."""
    chat = Chat(one_by_one=True)
    for line in ("one", "  ", "two", None):
        await chat.transport.feed(line)
    first = await chat.update()
    assert isinstance(first, MessageReceived)
    assert chat.transport.busy
    await chat.none_comes()
    progress = await chat.send("working", first, cancel="cancel:1")
    await chat.none_comes()
    await chat.send("done", first, replace=progress)
    second = await chat.update()
    assert isinstance(second, MessageReceived)
    assert second.text == "two"
    await chat.send("refused", second)
    with pytest.raises(StopAsyncIteration):
        await chat.update()


async def test_the_end_waits_for_the_last_answer() -> None:
    """Ctrl-D does not cut a running turn off."""
    chat = Chat()
    prompt = await chat.prompt("hello")
    await chat.transport.feed(None)
    await chat.none_comes()
    await chat.send("done", prompt)
    with pytest.raises(StopAsyncIteration):
        await chat.update()


async def test_an_interrupt_presses_cancel_once() -> None:
    """Ctrl-C presses the button of what goes on; twice is once."""
    chat = Chat()
    prompt = await chat.prompt("hello")
    assert not chat.transport.interrupt()
    progress = await chat.send("working", prompt, cancel="cancel:1")
    assert chat.transport.interrupt()
    assert not chat.transport.interrupt()
    press = await chat.update()
    assert isinstance(press, ButtonPressed)
    assert (press.data, press.message_id, press.sender_id) == (
        "cancel:1",
        progress.message_id,
        CHAT_ID,
    )
    await chat.transport.answer_press(press.press_id, "Cancelling")
    await chat.transport.answer_press(press.press_id)
    await chat.edit(progress, "cancelled")
    assert chat.screen.taken()[-1] == "say cancelled"


async def test_an_interrupt_leaves_alone_what_waits_behind() -> None:
    """It goes on then, and is what the next Ctrl-C means."""
    chat = Chat()
    running = await chat.send("working", await chat.prompt("hello"), cancel="cancel:1")
    waiting = await chat.send("queued · pi", await chat.prompt("more"), cancel="cancel:2")
    assert chat.transport.interrupt()
    assert not chat.transport.interrupt()
    assert (await chat.update()).message_id == running.message_id
    await chat.edit(running, "cancelled")
    assert chat.transport.interrupt()
    assert (await chat.update()).message_id == waiting.message_id
    await chat.edit(waiting, "cancelled")
    last = await chat.send("queued · pi", await chat.prompt("last"), cancel="cancel:3")
    await chat.edit(last, "working", cancel="cancel:3")
    await chat.send("queued · pi", await chat.prompt("behind"), cancel="cancel:4")
    assert chat.transport.interrupt()
    assert (await chat.update()).message_id == last.message_id
    await chat.none_comes()


async def test_the_bridge_says_what_a_cancel_means() -> None:
    """It answers no message, so it means what runs; the end of the turn is its answer."""
    chat = Chat()
    await chat.transport.feed("/cancel")
    await chat.none_comes()
    assert chat.screen.taken() == ["note nothing runs"]
    prompt = await chat.prompt("hello")
    progress = await chat.send("working", prompt, cancel="cancel:1")
    for words in ("/cancel", "/cancel all"):
        asked = await chat.prompt(words)
        assert (asked.text, asked.reply) == (words, None)
    await chat.send("cancelled", prompt, replace=progress)
    assert not chat.transport.busy
    await chat.send("Nothing runs.", await chat.prompt("/cancel all"))
    assert not chat.transport.busy


async def test_what_an_interrupt_answers_is_not_told_twice() -> None:
    """Whoever pressed Ctrl-C has read that the turn is being cancelled."""
    chat = Chat()
    await chat.send("working", await chat.prompt("hello"), cancel="cancel:1")
    assert chat.transport.interrupt()
    press = await chat.update()
    assert isinstance(press, ButtonPressed)
    chat.screen.taken()
    await chat.transport.answer_press(press.press_id, "Cancelling")
    assert chat.screen.taken() == []


async def test_help_says_how_a_terminal_differs() -> None:
    """Nobody can reply to a message here, so the help says what a line does."""
    chat = Chat()
    await chat.prompt("/help")
    assert chat.screen.taken() == [
        "note Here each line goes on in the same session; /new starts another. Where a message "
        "offers /1 or /2, that chooses."
    ]
    for line in ("/topic shop", "/file get a.txt"):
        await chat.transport.feed(line)
    await chat.none_comes()
    assert chat.screen.taken() == [
        "note a terminal has no topics",
        "note no file needs to be sent here; name its path in the prompt",
    ]


async def test_what_a_chat_forgets_is_told() -> None:
    """A schedule of a chat without a journal ends with it; one of a bot does not."""
    chat = Chat()
    await chat.prompt("/at 18:30 look")
    assert chat.screen.taken() == []
    chat.transport = TerminalTransport(chat.screen, own=True)
    for line in ("/at", "/every 5m look"):
        await chat.transport.feed(line)
        await anext(chat.transport.updates())
    (planned,) = chat.screen.taken()
    assert "forgotten when this chat ends" in planned


async def test_a_final_may_be_an_edit() -> None:
    """An edit that takes the buttons away is an answer; later additions alone are shown."""
    chat = Chat()
    prompt = await chat.prompt("hello")
    ref = await chat.send("working", prompt, cancel="cancel:1")
    await chat.edit(ref, "working 2", cancel="cancel:1")
    await chat.edit(ref, "done")
    assert not chat.transport.busy
    await chat.edit(ref, "done")
    await chat.edit(ref, "done\n\nended 1 background process")
    await chat.edit(ref, "something else")
    await chat.edit(MessageRef(CHAT_ID, 999), "nobody knows this one")
    assert chat.screen.taken() == [
        "progress working",
        "progress working 2",
        "say done",
        "say ended 1 background process",
        "say something else",
    ]


async def test_progress_goes_before_the_answer_comes() -> None:
    """The state of an answered prompt is taken away at once, and deleting it later is no error."""
    chat = Chat()
    prompt = await chat.prompt("hello")
    ref = await chat.send("working", prompt, cancel="cancel:1")
    chat.screen.log.clear()
    await chat.send("done", prompt)
    assert chat.screen.log == ["clear", "say done"]
    await chat.transport.delete(ref)
    await chat.transport.delete(MessageRef(CHAT_ID, 999))


async def test_a_final_in_parts_is_shown_in_parts() -> None:
    """The conversation goes on from the last one."""
    chat = Chat()
    prompt = await chat.prompt("hello")
    ref = await chat.send("working", prompt, cancel="cancel:1")
    await chat.send("part 1", prompt, replace=ref)
    last = await chat.send("part 2", prompt)
    following = await chat.prompt("more")
    assert following.reply is not None
    assert following.reply.message_id == last.message_id
    assert chat.screen.taken() == ["progress working", "say part 1", "say part 2"]


async def test_a_replaced_message_hands_its_prompt_on() -> None:
    """A final without a reply still answers the prompt of the progress it replaces."""
    chat = Chat()
    prompt = await chat.prompt("hello")
    ref = await chat.send("working", prompt, cancel="cancel:1")
    await chat.send("done", replace=ref)
    assert not chat.transport.busy


async def test_a_document_is_shown_as_text() -> None:
    """A terminal needs no file for a long answer."""
    chat = Chat()
    prompt = await chat.prompt("hello")
    options = SendOptions(reply_to=MessageRef(CHAT_ID, prompt.message_id))
    for caption in (plain("the whole answer"), plain("")):
        document = Document("answer.md", b"line\xff", caption)
        await chat.transport.send_document(SCOPE, document, options)
    assert chat.screen.taken() == ["say the whole answer\nline\ufffd", "say line\ufffd"]


async def test_a_long_pipe_is_read_as_it_is_needed() -> None:
    """The reader waits while enough lines wait."""
    chat = Chat(one_by_one=True)
    for number in range(WAITING_LINES):
        await chat.transport.feed(str(number))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(chat.transport.feed, "the last")
            await anyio.wait_all_tasks_blocked()
            first = await chat.update()
            assert isinstance(first, MessageReceived)


async def test_the_chat_ends_when_nobody_reads_it() -> None:
    """A reader that has gone, or a full disk, ends the chat, and what runs is cancelled."""
    for way, broken in (
        ("send", BrokenPipeError()),
        ("edit", BrokenPipeError()),
        ("send", OSError(errno.ENOSPC, "No space left on device")),
    ):
        chat = Chat()
        prompt = await chat.prompt("hello")
        ref = await chat.send("working", prompt, cancel="cancel:1")
        other = await chat.send("working too", await chat.prompt("more"), cancel="cancel:2")
        chat.screen.broken = broken
        await (chat.send("done", prompt) if way == "send" else chat.edit(ref, "done"))
        press = await chat.update()
        assert isinstance(press, ButtonPressed)
        assert (press.data, press.message_id) == ("cancel:2", other.message_id)
        with pytest.raises(StopAsyncIteration):
            await chat.update()


async def test_a_terminal_has_no_menu() -> None:
    """Publishing one is no error."""
    await Chat().transport.set_menu([MenuCommand("help", "Show help")])
