"""One HTTP connection pool to a Bot API server.

Import this module only when something is to be sent: aiohttp takes longer to import than most
commands of the CLI take to run.
"""

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from takopi.core.json_repair import repair_json
from takopi.errors import ConfigError, TransportUnavailable
from takopi.network import proxy_of, tls_context
from takopi.telegram.api import DEFAULT_BASE_URL, TelegramConfig
from takopi.telegram.errors import refusal
from takopi.telegram.wire import Answer

__all__ = ["Endpoint"]

KEEPALIVE_S = 75
CONNECT_TIMEOUT_S = 10

_answer_decoder = msgspec.json.Decoder(Answer)


class _Way:
    """Know how far a request came: once it had a connection, it may have arrived."""

    connected = False


class Endpoint:
    """Post requests for one bot, and turn every failure into a leaf of `TransportError`.

    The token is part of every URL, and aiohttp writes URLs into its errors: so no error of
    aiohttp leaves this class, not even as the cause of another.

    Args:
        config: Token and server.
        connections: How many requests may be under way at once.

    Raises:
        ConfigError: The server's address or the environment's proxy cannot be used.
    """

    def __init__(self, config: TelegramConfig, *, connections: int = 50) -> None:
        base = (config.api_base_url or DEFAULT_BASE_URL).rstrip("/")
        parts = urlsplit(base)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(
                f"`api_base_url` is {base!r}, which is no address of a Bot API server; "
                "write it like http://127.0.0.1:8081, or leave it out"
            )
        self._prefix = f"{base}/bot{config.bot_token}/"
        self._host = parts.hostname
        self._tls = tls_context() if parts.scheme == "https" else True
        self._proxy = proxy_of(base)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self,
        method: str,
        params: dict[str, Any],
        timeout_s: float,
        form: aiohttp.FormData | None = None,
    ) -> msgspec.Raw:
        """Carry out one call and return what stands under `result`.

        Args:
            method: Name of the method.
            params: What becomes a JSON body.
            timeout_s: For the whole of it.
            form: Goes in place of the JSON body when there are files.

        Raises:
            TransportError: One of its leaves.
        """
        options: dict[str, Any] = {"data": form}
        if form is None:
            headers = {"Content-Type": "application/json"}
            options = {"data": msgspec.json.encode(params), "headers": headers}
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        way = _Way()
        try:
            async with self._open().post(
                self._prefix + method,
                timeout=timeout,
                proxy=self._proxy,
                allow_redirects=False,  # a redirected POST arrives without its body
                trace_request_ctx=way,
                **options,
            ) as response:
                status, content = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            failure = self._failure(method, error, way)
        else:
            return _result(method, status, content, params.get("chat_id"))
        raise failure  # outside of the handler: the cause would carry the URL

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones.

        aiogram waits a quarter of a second here for TLS to say good-bye; nobody needs that.
        """
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(
                ssl=self._tls,
                limit=self._connections,
                keepalive_timeout=KEEPALIVE_S,
                ttl_dns_cache=300,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[_watched()],
            )
        return self._session

    def _failure(self, method: str, error: Exception, way: _Way) -> TransportUnavailable:
        kind = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        return TransportUnavailable(
            f"{self._host} could not be asked for {method} ({kind}); check the network",
            maybe_accepted=way.connected,
        )


def _result(method: str, status: int, content: bytes, chat_id: int | None) -> msgspec.Raw:
    answer = _read(content)
    if answer is None:
        raise TransportUnavailable(
            f"the answer to {method} is not one of the Bot API (HTTP {status}); "
            "check `api_base_url` if this stays",
            maybe_accepted=_page_hides_success(status),
        )
    if answer.ok and status < 300:
        return answer.result
    raise refusal(method, status, answer, chat_id)


def _read(content: bytes) -> Answer | None:
    """Read the envelope; None when it is none.

    The decoder checks escapes even in what it leaves raw: half of a surrogate pair in one update
    would make every answer unreadable that brings it, and it would come for ever.
    """
    for text in (content, repair_json(content)):
        if text is not None:
            with suppress(msgspec.DecodeError):
                return _answer_decoder.decode(text)
    return None


def _page_hides_success(status: int) -> bool:
    """Tell whether a page that is none of the Bot API's may stand in place of a success.

    A gateway that turns a request away (3xx, 4xx, 503) has handed it to nobody; any other page may
    come after the Bot API has done what was asked.
    """
    return not 300 <= status < 500 and status != 503


def _watched() -> aiohttp.TraceConfig:
    """Note when a request gets its connection: before that, nothing of it is written."""

    async def connected(_session: object, trace: Any, _params: object) -> None:
        trace.trace_request_ctx.connected = True

    watched = aiohttp.TraceConfig()
    watched.on_connection_create_end.append(connected)
    watched.on_connection_reuseconn.append(connected)
    return watched
