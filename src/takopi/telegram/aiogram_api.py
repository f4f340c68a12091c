"""The Bot API through aiogram's client: its methods check and shape what is sent.

Never import this module at the head of another: it imports aiogram. `transport.connect` does so
once `fast_import` has run. Answers stay raw: aiogram would build its largest models for them, and
one undecodable update would hide all others.
"""

from collections.abc import AsyncGenerator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import aiohttp
import msgspec
from aiogram import Bot, methods
from aiogram.client.session.base import BaseSession
from aiogram.methods.base import TelegramMethod, TelegramType
from aiogram.types import BufferedInputFile, FSInputFile, InputFile
from aiogram.utils.token import TokenValidationError
from pydantic import ValidationError

from takopi.errors import FormatRefused, TransportError, Unauthorized
from takopi.telegram.api import TelegramConfig, Upload
from takopi.telegram.endpoint import Endpoint

__all__ = ["AiogramApi"]


class AiogramApi:
    """Carry out methods with an aiogram bot of its own connection pool.

    Args:
        config: Token and server.
        connections: How many requests may be under way at once.

    Raises:
        Unauthorized: The token cannot be one.
    """

    def __init__(self, config: TelegramConfig, *, connections: int = 50) -> None:
        self._session = _Session(Endpoint(config, connections=connections))
        try:
            self._bot = Bot(config.bot_token, session=self._session)
        except TokenValidationError:
            bot = None
        else:
            bot = self._bot
        if bot is None:
            raise Unauthorized(
                "`bot_token` does not look like a token; it is `<number>:<letters>` as "
                "@BotFather shows it"
            )

    async def call(
        self, method: str, params: dict[str, Any], *, timeout_s: float = 30
    ) -> msgspec.Raw:
        """Carry out one method and return the JSON of its result."""
        model: type[TelegramMethod[Any]] = getattr(methods, method[0].upper() + method[1:])
        given = {name: _as_aiogram(value) for name, value in params.items() if value is not None}
        try:
            prepared = model(**given)
        except ValidationError as error:
            raise FormatRefused(
                f"{method} cannot be sent: {error.errors(include_url=False)[0]['msg']}"
            ) from None
        return cast("msgspec.Raw", await self._session(self._bot, prepared, _whole(timeout_s)))

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._session.close()


class _Session(BaseSession):
    """Be the session of an aiogram bot, without decoding answers."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    async def make_request(
        self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None
    ) -> TelegramType:
        files: dict[str, InputFile] = {}
        body: dict[str, Any] = {}
        for name, value in method.model_dump(warnings=False).items():
            prepared = self.prepare_value(value, bot=bot, files=files, _dumps_json=False)
            if prepared is not None:
                body[name] = prepared
        limit_s = self.timeout if timeout is None else timeout
        with ExitStack() as opened:
            form = await _form(bot, body, files, opened) if files else None
            answer = await self._endpoint.post(method.__api_method__, body, limit_s, form)
        return cast("TelegramType", answer)

    async def close(self) -> None:
        await self._endpoint.aclose()

    def stream_content(self, *_wanted: Any, **_options: Any) -> AsyncGenerator[bytes, None]:
        """Refuse: the base class asks for this method, and takopi fetches no files this way."""
        raise NotImplementedError


async def _form(
    bot: Bot, body: dict[str, Any], files: dict[str, InputFile], opened: ExitStack
) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)
    for name, value in body.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        form.add_field(name, text)
    for name, file in files.items():
        if isinstance(file, FSInputFile):
            # aiohttp reads it in a thread while it sends.
            stream = opened.enter_context(_open_own(Path(file.path)))
            form.add_field(name, stream, filename=file.filename or name)
            continue
        # A stream, because aiohttp writes large bytes in one go and stops the event loop meanwhile.
        content = BytesIO(b"".join([part async for part in file.read(bot)]))
        form.add_field(name, content, filename=file.filename or name)
    return form


def _as_aiogram(value: Any) -> Any:
    if not isinstance(value, Upload):
        return value
    if value.path:
        return FSInputFile(value.path, value.filename)
    return BufferedInputFile(value.content, value.filename)


def _open_own(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise TransportError(f"the file {path.name} cannot be read: {error.strerror}") from error


def _whole(seconds: float) -> int:
    return max(1, round(seconds))
