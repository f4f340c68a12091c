"""Fetch what people sent: from the server's files, or from the disk of a server on this machine.

Import this module only when something is to be fetched: it imports aiohttp. The token is part of
every URL and of the paths of a self-hosted server, so none of either is in an error or a log.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import quote, urlsplit

import aiohttp
import anyio.to_thread

from takopi.core.texts import tr
from takopi.errors import FileRefused, FileTooLarge, TransportError, TransportUnavailable
from takopi.network import proxy_of, tls_context
from takopi.telegram.api import DEFAULT_BASE_URL, TelegramConfig
from takopi.utils.safe_files import open_below

__all__ = ["Downloads"]

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 60
WHOLE_TIMEOUT_S = 900

_CONNECTIONS = 4
_BLOCK = 256 * 1024
_MB = 1024 * 1024


class Downloads:
    """Fetch files of one bot, over connections of their own.

    Args:
        config: Token and server.
    """

    def __init__(self, config: TelegramConfig) -> None:
        base = (config.api_base_url or DEFAULT_BASE_URL).rstrip("/")
        parts = urlsplit(base)
        self._token = config.bot_token
        self._prefix = f"{base}/file/bot{config.bot_token}/"
        self._host = parts.hostname or base
        self._tls = tls_context() if parts.scheme == "https" else True
        self._proxy = proxy_of(base)
        self._own_server = config.api_base_url is not None
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, path: str, into: BinaryIO, max_bytes: int) -> None:
        """Write a file's content.

        Args:
            path: The `file_path` of getFile.
            into: Takes the content.
            max_bytes: It may be so large.

        Raises:
            FileTooLarge: It is larger.
            TransportUnavailable: The server did not give it, and may later.
            TransportError: The server has no such file, or not for this machine.
        """
        if path.startswith("/"):
            await anyio.to_thread.run_sync(self._copy, path, into, max_bytes)
            return
        taken = 0
        async with self._content(path) as content:
            async for block in content.iter_chunked(_BLOCK):
                taken += len(block)
                if taken > max_bytes:
                    raise _too_large(max_bytes)
                await anyio.to_thread.run_sync(into.write, block)

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @asynccontextmanager
    async def _content(self, path: str) -> AsyncIterator[aiohttp.StreamReader]:
        failure: TransportError | None = None
        try:
            url = self._prefix + quote(path)
            async with self._open().get(url, proxy=self._proxy, allow_redirects=False) as answer:
                if answer.status == 200:
                    yield answer.content
                else:
                    failure = self._refused(answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            late = isinstance(error, TimeoutError)
            kind = tr("no answer in time") if late else type(error).__name__
            failure = TransportUnavailable(
                tr("{host} did not give the file ({why})", host=self._host, why=kind)
            )
        if failure is not None:
            raise failure  # outside of the handler: the cause would carry the URL

    def _refused(self, status: int) -> TransportError:
        if status == 429 or status >= 500:
            return TransportUnavailable(
                tr("{host} did not give the file ({why})", host=self._host, why=f"HTTP {status}")
            )
        return TransportError(
            tr("{host} does not have the file any more; send it again", host=self._host)
        )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls, limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=WHOLE_TIMEOUT_S,
                    sock_connect=CONNECT_TIMEOUT_S,
                    sock_read=READ_TIMEOUT_S,
                ),
                auto_decompress=False,
            )
        return self._session

    def _copy(self, path: str, into: BinaryIO, max_bytes: int) -> None:
        """Read what a self-hosted server with `--local` keeps on this machine's disk.

        Such a server keeps a bot's files in a folder called like its token; nothing else is read.
        """
        parts = PurePosixPath(path).parts
        if not self._own_server or self._token not in parts:
            raise TransportError(
                tr("{host} keeps the file where takopi does not read", host=self._host)
            )
        at = parts.index(self._token) + 1
        failure = None
        try:
            with open_below(Path(*parts[:at]), "/".join(parts[at:]), denied=()) as file:
                if os.fstat(file.fileno()).st_size > max_bytes:
                    raise _too_large(max_bytes)
                while block := file.read(_BLOCK):
                    into.write(block)
                    if into.tell() > max_bytes:
                        raise _too_large(max_bytes)
        except FileRefused as error:
            failure = error.why
        if failure is not None:
            raise TransportError(
                tr(
                    "{host} keeps the file in a folder of its own ({why}); run it on this machine "
                    "as this user, or without `--local`",
                    host=self._host,
                    why=failure,
                )
            )


def _too_large(max_bytes: int) -> FileTooLarge:
    limit = max_bytes // _MB
    return FileTooLarge(tr("the file is larger than {limit} MB, which is the limit", limit=limit))
