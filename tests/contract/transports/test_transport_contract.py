"""What holds for every transport: Telegram, the terminal, and the one of an example package."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from contract.transports.services import (
    FolderService,
    Service,
    TelegramService,
    TerminalService,
)
from fakes.telegram_api import TelegramApi
from takopi.core.chat import (
    Button,
    ButtonPressed,
    ChatMessage,
    ChatUpdate,
    Document,
    MessageReceived,
)
from takopi.core.replies import cancel_data
from takopi.core.richtext import Entity, RichText, plain
from takopi.errors import FileTooLarge, TopicsUnavailable, TransportError
from takopi.transport import MessageRef, SendOptions
from takopi.transports import MenuCommand, ServedTransport, TransportBackend

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

CANCEL = ((Button("Cancel", cancel_data("t1")),),)


@pytest.fixture(params=["telegram", "terminal", "filechat"])
async def service(request, tmp_path: Path) -> AsyncIterator[Service]:
    """Be one service after the other."""
    if request.param == "telegram":
        async with TelegramApi() as api:
            api.updates.throttle = False
            yield TelegramService(tmp_path, api)
    elif request.param == "terminal":
        terminal = TerminalService(tmp_path)
        yield terminal
        await terminal.close()
    else:
        yield FolderService(tmp_path)


@pytest.fixture
async def transport(service: Service) -> AsyncIterator[ServedTransport]:
    """Open it, and close it twice: the second time does nothing."""
    built = service.build()
    assert await built.open()
    yield built
    await built.aclose()
    await built.aclose()


async def next_update(updates: AsyncIterator[object]) -> ChatUpdate:
    """Wait for the one update of the next batch."""
    with anyio.fail_after(10):
        while True:
            batch = await anext(updates)
            if batch:
                (update,) = batch  # type: ignore[misc]
                return update


async def said(service: Service, transport: ServedTransport, text: str) -> MessageReceived:
    """Let the person say something, and hear it."""
    service.say(text)
    update = await next_update(transport.updates())
    assert isinstance(update, MessageReceived)
    return update


async def test_the_registration_says_what_is_needed(service: Service) -> None:
    """An id of its own, what is missing with the step that mends it, and one lock an account."""
    backend = service.backend
    assert isinstance(backend, TransportBackend)
    assert backend.description
    assert list(backend.check_setup(service.config)) == []
    for issue in backend.check_setup(service.bare):
        assert issue.lines
        assert f"transports.{backend.id}." in issue.title
    name = backend.lock_token(service.config)
    assert name == backend.lock_token(service.config)
    assert name is None or name != backend.lock_token(service.other)


async def test_the_set_up_asks_for_what_is_missing(service: Service) -> None:
    """What it returns is enough."""
    asked: list[str] = []

    class Talk:
        def say(self, text: str) -> None: ...

        def ask(self, question: str, default: str = "") -> str:
            asked.append(question)
            return next(a for word, a in service.answers.items() if word in question)

        ask_secret = ask

    found = service.backend.interactive_setup(service.bare, Talk())
    table = {**service.bare.table, **found}
    full = type(service.bare)(table=table, path=service.bare.path, home=service.bare.home)
    assert list(service.backend.check_setup(full)) == []
    assert len(asked) == len(service.answers)


async def test_what_a_person_says_arrives_with_its_place(service, transport) -> None:
    """In the transport's own scope, with the ids that everything else names."""
    update = await said(service, transport, "hello there")
    assert (transport.id, update.scope) == (service.backend.id, service.scope)
    assert (update.text, update.chat_kind) == ("hello there", "private")
    assert update.sender_id == service.chat_id
    assert update.reply is None


async def test_a_message_is_sent_changed_and_taken_back(service, transport) -> None:
    """Its name stays the same; what is gone can be taken back once more."""
    update = await said(service, transport, "hello")
    asked = MessageRef(update.scope.chat_id, update.message_id)
    options = SendOptions(reply_to=asked, notify=False)
    body = RichText("working on it", (Entity("bold", 0, 7),))
    ref = await transport.send(update.scope, ChatMessage(body, CANCEL), options)
    assert isinstance(ref.message_id, int)
    assert ref.channel_id == service.chat_id
    assert ref.message_id != update.message_id
    assert service.reads("working on it")
    await transport.edit(ref, ChatMessage(plain("nearly there"), CANCEL))
    await transport.edit(ref, ChatMessage(plain("nearly there"), CANCEL))
    assert service.reads("nearly there")
    assert not service.takes_back or not service.reads("working on it")
    await transport.delete(ref)
    await transport.delete(ref)
    assert not service.takes_back or not service.reads("nearly there")


async def test_a_final_takes_the_place_of_its_progress(service, transport) -> None:
    """The new message stands before the old one goes."""
    update = await said(service, transport, "hello")
    reply = SendOptions(reply_to=MessageRef(update.scope.chat_id, update.message_id))
    first = await transport.send(update.scope, ChatMessage(plain("progress"), CANCEL), reply)
    options = SendOptions(reply_to=reply.reply_to, replace=first)
    final = await transport.send(update.scope, ChatMessage(plain("the answer")), options)
    assert final != first
    assert service.reads("the answer")
    assert not service.takes_back or not service.reads("progress")


async def test_a_reply_names_the_message_of_the_bot(service, transport) -> None:
    """With its text: a resume line in it counts when this bot wrote it."""
    updates = transport.updates()
    service.say("hello")
    first = await next_update(updates)
    options = SendOptions(reply_to=MessageRef(service.chat_id, first.message_id))
    work = await transport.send(service.scope, ChatMessage(plain("work"), CANCEL), options)
    options = SendOptions(reply_to=options.reply_to, replace=work)
    ref = await transport.send(service.scope, ChatMessage(plain("done: s1")), options)
    service.say("go on", reply_to=ref)
    update = await next_update(updates)
    assert isinstance(update, MessageReceived)
    assert update.message_id != first.message_id
    assert update.update_id > first.update_id
    assert update.reply is not None
    assert (update.reply.message_id, update.reply.text) == (ref.message_id, "done: s1")
    assert update.reply.from_this_bot


async def test_a_press_on_a_button_brings_its_data(service, transport) -> None:
    """And can be answered, also when that is too late."""
    updates = transport.updates()
    service.say("hello")
    first = await next_update(updates)
    options = SendOptions(reply_to=MessageRef(service.chat_id, first.message_id))
    ref = await transport.send(service.scope, ChatMessage(plain("work"), CANCEL), options)
    service.press(ref, CANCEL[0][0].data)
    press = await next_update(updates)
    assert isinstance(press, ButtonPressed)
    assert (press.data, press.message_id) == (cancel_data("t1"), ref.message_id)
    assert (press.sender_id, press.scope) == (service.chat_id, service.scope)
    await transport.answer_press(press.press_id, "Cancelling")


async def test_files_go_both_ways_where_there_are_any(service, transport) -> None:
    """And are refused by a leaf of TransportError where there are none."""
    document = Document("notes.md", b"some notes", plain("see"))
    if not service.backend.capabilities.files:
        with pytest.raises(TransportError):
            await transport.fetch(service_file(), io.BytesIO(), 10)
        return
    await transport.send_document(service.scope, document, SendOptions())
    assert service.has_file("notes.md", b"some notes")
    file, into = service.put_file(b"0123456789"), io.BytesIO()
    await transport.fetch(file, into, 10)
    assert into.getvalue() == b"0123456789"
    with pytest.raises(FileTooLarge):
        await transport.fetch(file, io.BytesIO(), 9)


def service_file():
    """Describe a file that nobody sent."""
    from takopi.core.chat import IncomingFile

    return IncomingFile(kind="document", file_id="x", name="x.bin")


async def test_what_a_service_lacks_is_said_or_does_nothing(service, transport) -> None:
    """Reactions and menus do no harm; topics are refused with their own error."""
    update = await said(service, transport, "hello")
    ref = MessageRef(update.scope.chat_id, update.message_id)
    await transport.react(ref, "👀")
    await transport.react(ref, None)
    menu = [MenuCommand("help", "Show what you can do here")]
    await transport.set_menu(menu)
    await transport.set_menu(menu)
    assert transport.topic_link(service.scope) is None
    if not service.backend.capabilities.topics:
        with pytest.raises(TopicsUnavailable):
            await transport.create_topic(service.scope, "a topic")
        with pytest.raises(TopicsUnavailable):
            await transport.rename_topic(service.scope, "a topic")


async def test_stopping_ends_the_updates_and_sending_goes_on(service, transport) -> None:
    """The answers of the last turns still have to go out."""
    updates = transport.updates()
    service.say("hello")
    first = await next_update(updates)
    transport.stop()
    with anyio.fail_after(10):
        assert [batch async for batch in updates if batch] == []
    options = SendOptions(reply_to=MessageRef(service.chat_id, first.message_id))
    await transport.send(service.scope, ChatMessage(plain("goodbye")), options)
    assert service.reads("goodbye")
