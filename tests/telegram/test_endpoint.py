"""The connection to the server: addresses, proxies, secrets."""

import anyio
import pytest

from takopi import errors
from takopi.telegram.api import BotIdentity, TelegramConfig
from takopi.telegram.batch import read_batch
from takopi.telegram.endpoint import Endpoint
from takopi.telegram.lean_api import LeanApi, probe_bot

pytestmark = pytest.mark.anyio

TOKEN = "123456789:AAsecretsecretsecretsecretsecretsecre"


async def test_probing_tells_who_the_bot_is(api):
    """One question, no aiogram."""
    found = await probe_bot(TelegramConfig(api.token, api.base_url))
    assert found == BotIdentity(123456789, "takopi_test_bot")


async def test_probing_a_revoked_token_says_so(api):
    """A revoked token is told as such, once."""
    api.revoked = True
    with pytest.raises(errors.Unauthorized, match="ask @BotFather for a new token"):
        await probe_bot(TelegramConfig(api.token, api.base_url))


async def test_something_else_at_the_address(api):
    """A server that answers getMe with something else is not taken for Telegram."""
    api.world.bot.username = None
    with pytest.raises(errors.TransportUnavailable, match="check `api_base_url`"):
        await probe_bot(TelegramConfig(api.token, api.base_url))


@pytest.mark.parametrize("address", ["localhost:8081", "ftp://x", "http://", "x"])
def test_an_address_that_is_none_is_the_configurations_fault(address):
    """The text shows what was found and how to write it."""
    with pytest.raises(errors.ConfigError, match="write it like http://127"):
        Endpoint(TelegramConfig(TOKEN, address))


async def test_nobody_listens():
    """A refused connection names the host, has no token, and surely was not accepted."""
    api = LeanApi(TelegramConfig(TOKEN, "http://127.0.0.1:9"))
    with pytest.raises(errors.TransportUnavailable, match=r"127\.0\.0\.1") as caught:
        await api.call("sendMessage", {"chat_id": 1, "text": "x"})
    await api.aclose()
    assert not caught.value.maybe_accepted
    assert caught.value.__context__ is None
    assert "AAsecret" not in str(caught.value)
    # Whoever asks once, as the doctor does, tries nothing again.
    assert str(caught.value).endswith("(ClientConnectorError); check the network")


async def test_a_server_that_never_answers(api):
    """A call ends at its limit, and the server may have done it."""
    api.faults.add("hang", "getMe")
    client = LeanApi(TelegramConfig(api.token, api.base_url))
    with pytest.raises(errors.TransportUnavailable, match="no answer in time") as caught:
        await client.call("getMe", {}, timeout_s=0.05)
    await client.aclose()
    assert caught.value.maybe_accepted


async def test_a_redirect_is_not_followed(api):
    """A redirected POST would arrive without its body, and the token would go elsewhere."""
    client = LeanApi(TelegramConfig(api.token, api.base_url + "/_ctl/redirect"))
    with pytest.raises(errors.TransportUnavailable, match="HTTP 302"):
        await client.call("getMe", {})
    await client.aclose()


@pytest.mark.parametrize(
    ("text", "mended"), [("half \ud800", "half \ufffd"), ("\udc00 of it", "\ufffd of it")]
)
async def test_half_a_surrogate_pair_hides_no_update(api, text, mended):
    """A text cut in the middle of an emoji is mended; its neighbours are read as they are."""
    api.owner.say("before")
    api.owner.say(text)
    api.owner.say("after")
    client = LeanApi(TelegramConfig(api.token, api.base_url))
    batch = read_batch(await client.call("getUpdates", {"timeout": 0}))
    await client.aclose()
    assert [u.update.message.text for u in batch] == ["before", mended, "after"]


async def test_connections_are_reused_and_reopened(api):
    """Calls share a connection; after a close the next call opens another."""
    client = LeanApi(TelegramConfig(api.token, api.base_url))
    for _ in range(3):
        await client.call("getMe", {})
    await client.aclose()
    await client.call("getMe", {"unused": None})
    await client.aclose()
    assert len(api.calls.of("getMe")) == 4


async def test_an_encrypted_server_that_speaks_plainly(api):
    """A failed handshake is a network error like any other, and was surely not accepted."""
    client = LeanApi(TelegramConfig(TOKEN, api.base_url.replace("http:", "https:")))
    with pytest.raises(errors.TransportUnavailable) as caught:
        await client.call("getMe", {})
    await client.aclose()
    assert not caught.value.maybe_accepted


def test_the_certificates_of_the_environment_win(monkeypatch):
    """With SSL_CERT_FILE nothing is added to what the person trusts."""
    from takopi.network import tls_context

    tls_context.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    assert tls_context().cert_store_stats()["x509_ca"] == 0
    tls_context.cache_clear()
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    assert tls_context().cert_store_stats()["x509_ca"] > 0


async def test_a_proxy_of_the_environment_is_used(api, monkeypatch):
    """HTTP_PROXY carries the calls; NO_PROXY takes hosts out."""
    seen: list[bytes] = []

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            seen.append(await stream.receive())
            await stream.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "example.invalid")
        client = LeanApi(TelegramConfig(TOKEN, "http://bot-api.test"))
        with pytest.raises(errors.TransportUnavailable, match="HTTP 502"):
            await client.call("getMe", {})
        await client.aclose()
        tasks.cancel_scope.cancel()
    assert seen[0].startswith(b"POST http://bot-api.test/bot")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    await probe_bot(TelegramConfig(api.token, api.base_url))


def test_a_proxy_that_cannot_be_used_is_named(monkeypatch):
    """A SOCKS proxy is refused with the way out."""
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(errors.ConfigError, match="HTTPS_PROXY names a socks5 proxy"):
        Endpoint(TelegramConfig(TOKEN))


def test_telegram_itself_is_the_default(monkeypatch):
    """Without an address the calls go to Telegram."""
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    assert Endpoint(TelegramConfig(TOKEN))._host == "api.telegram.org"
