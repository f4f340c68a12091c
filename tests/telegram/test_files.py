"""Files come from Telegram and go to it."""

import io
from pathlib import Path
from typing import Any

import pytest

from fakes.telegram_api import OWNER_ID, TelegramApi
from fakes.telegram_api.people import PICTURE
from fakes.telegram_api.skipping_clock import SkippingClock
from takopi import errors
from takopi.core.chat import Document, IncomingFile, MessageReceived, Scope
from takopi.telegram.transport import TelegramConfig, TelegramTransport
from takopi.transport import SendOptions

pytestmark = pytest.mark.anyio

MB = 1024 * 1024
HERE = Scope("telegram", OWNER_ID)


def sent(api: TelegramApi, content: bytes) -> IncomingFile:
    """Let the owner send a file, and describe it as an update would."""
    message = api.owner.send_file("a.bin", content)
    return IncomingFile(kind="document", file_id=message.document.id, name="a.bin")


async def fetched(transport: TelegramTransport, file: IncomingFile, limit: int = MB) -> bytes:
    into = io.BytesIO()
    await transport.fetch(file, into, limit)
    return into.getvalue()


async def test_what_was_sent_is_fetched_whole(api, transport):
    """Also more than one block of it, and the same file again."""
    content = bytes(range(256)) * 3000
    file = sent(api, content)
    assert await fetched(transport, file) == content
    assert await fetched(transport, file) == content


async def test_the_largest_size_of_a_photo_is_the_one_with_the_content(api, transport):
    """An update's photo is fetched by the id that stands in the journal."""
    api.owner.send_photo(PICTURE + b"x", "look")
    (update,) = await anext(aiter(transport.updates()))
    assert isinstance(update, MessageReceived)
    assert await fetched(transport, update.files[0]) == PICTURE + b"x"


async def test_a_file_that_is_larger_than_the_limit_is_not_fetched_whole(api, transport):
    """The limit holds for what comes, whatever the service said before."""
    into = io.BytesIO()
    with pytest.raises(errors.FileTooLarge, match="larger than 1 MB"):
        await transport.fetch(sent(api, b"x" * (3 * MB)), into, MB)
    assert len(into.getvalue()) <= MB
    with pytest.raises(errors.FileTooLarge, match="file is too big"):
        await fetched(transport, sent(api, b"x" * (20 * MB + 1)))


async def test_a_file_that_is_gone_is_no_outage(api, transport):
    """The server knows its name and has no content any more, or does not know it."""
    file = sent(api, b"x")
    api.world.files[file.file_id].id = "elsewhere"
    with pytest.raises(errors.TransportError, match="does not have the file any more") as gone:
        await fetched(transport, file)
    assert type(gone.value) is errors.TransportError
    del api.world.files[file.file_id]
    with pytest.raises(errors.TransportError, match="invalid file_id"):
        await fetched(transport, file)


async def test_a_server_that_does_not_answer_is_an_outage(api, transport):
    """Trying again later is right, and neither text nor cause has the token."""
    file = sent(api, b"x")
    assert await fetched(transport, file) == b"x"
    await api.stop()
    with pytest.raises(errors.TransportUnavailable, match="did not give the file") as failed:
        await transport._downloads.fetch("documents/x", io.BytesIO(), MB)
    assert api.token not in repr(failed.value)
    assert failed.value.__cause__ is None
    await api.start()


@pytest.mark.parametrize("code", [429, 500, 502])
async def test_a_server_that_fails_may_give_the_file_later(api, transport, code):
    """Nothing was wrong with the file."""
    api.faults.add("status", "file", code=code)
    file = sent(api, b"x")
    with pytest.raises(errors.TransportUnavailable, match=f"HTTP {code}"):
        await fetched(transport, file)
    api.faults.add("drop", "file", times=2)  # the client itself asks again once
    with pytest.raises(errors.TransportUnavailable, match="did not give the file"):
        await fetched(transport, file)
    assert await fetched(transport, file) == b"x"


async def test_a_file_without_a_path_comes_later(api, transport):
    """The server may leave the path out while it fetches the file itself."""
    file = sent(api, b"x")
    api.world.files[file.file_id].is_fetched = False
    with pytest.raises(errors.TransportUnavailable, match="where the file is"):
        await fetched(transport, file)
    api.world.files[file.file_id].is_fetched = True
    assert await fetched(transport, file) == b"x"


async def local(api: TelegramApi, root: Path, **config: Any) -> TelegramTransport:
    api.world.local = root
    connected = TelegramTransport(
        TelegramConfig(api.token, api.base_url, **config), clock=SkippingClock()
    )
    await connected.connect()
    return connected


async def test_a_server_on_this_machine_hands_out_paths(api, tmp_path):
    """With `--local` the file is read where the server keeps it, up to the limit."""
    transport = await local(api, tmp_path / api.token)
    assert await fetched(transport, sent(api, b"here")) == b"here"
    with pytest.raises(errors.FileTooLarge):
        await fetched(transport, sent(api, b"x" * (MB + 1)))
    await transport.aclose()


@pytest.mark.parametrize("trap", ["elsewhere", "link", "gone"])
async def test_nothing_else_of_the_disk_is_read(api, tmp_path, trap):
    """What lies outside of the bot's own folder is not read, nor what a link leads to."""
    own = tmp_path / api.token
    transport = await local(api, tmp_path if trap == "elsewhere" else own)
    file = sent(api, b"x")
    if trap != "elsewhere":
        await transport._api.call("getFile", {"file_id": file.file_id})
        kept = own / "documents" / file.file_id
        kept.unlink()
        if trap == "link":
            (tmp_path / "secret").write_text("secret")
            kept.symlink_to(tmp_path / "secret")
        path = str(kept)
        into = io.BytesIO()
        downloads = await _downloads(api, transport)
        with pytest.raises(errors.TransportError, match="a folder of its own") as refused:
            await downloads.fetch(path, into, MB)
        assert into.getvalue() == b""
        assert api.token not in str(refused.value)
    else:
        with pytest.raises(errors.TransportError, match="where takopi does not read"):
            await fetched(transport, file)
    await transport.aclose()


async def _downloads(api: TelegramApi, transport: TelegramTransport) -> Any:
    await fetched(transport, sent(api, b"first"))
    return transport._downloads


async def test_a_document_is_sent_from_the_disk(api, transport, tmp_path):
    """What is large is in no memory; the name is the one that is shown."""
    big = tmp_path / "0a1b"
    big.write_bytes(b"0123456789" * 300_000)
    document = Document("report.pdf", b"", path=str(big))
    ref = await transport.send_document(HERE, document, SendOptions())
    message = api.owner.chat.messages[ref.message_id]
    assert message.document.content == big.read_bytes()
    assert message.document.name == "report.pdf"
    big.unlink()
    with pytest.raises(errors.TransportError, match="cannot be read"):
        await transport.send_document(HERE, document, SendOptions())


async def test_a_picture_is_shown_as_one_where_that_can_be(api, transport):
    """What Telegram takes for no picture is sent as a document all the same."""
    picture = Document("plot.png", PICTURE + b"x", photo=True)
    ref = await transport.send_document(HERE, picture, SendOptions())
    assert api.owner.chat.messages[ref.message_id].picture.content == PICTURE + b"x"
    other = Document("plot.png", b"no picture", photo=True)
    ref = await transport.send_document(HERE, other, SendOptions())
    assert api.owner.chat.messages[ref.message_id].document.content == b"no picture"
    api.faults.add(kind="status", method="sendPhoto", code=403, description="Forbidden: kicked")
    with pytest.raises(errors.ChatLost):
        await transport.send_document(HERE, picture, SendOptions())
