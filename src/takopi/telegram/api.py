"""What the rest of the package needs of a Bot API client."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from takopi.errors import TransportUnavailable
from takopi.telegram.wire import BotUser

__all__ = ["DEFAULT_BASE_URL", "BotApi", "BotIdentity", "TelegramConfig", "Upload", "identify"]

DEFAULT_BASE_URL = "https://api.telegram.org"


@dataclass(frozen=True, slots=True)
class TelegramConfig:
    """Say which bot to be, and where.

    Args:
        bot_token: As @BotFather gave it; never shown.
        api_base_url: A self-hosted Bot API server; None means Telegram's own.
    """

    bot_token: str = field(repr=False)
    api_base_url: str | None = None


class BotIdentity(msgspec.Struct, frozen=True):
    """Say who the bot is.

    Args:
        id: Its user id.
        username: Its name without `@`.
    """

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Upload:
    """Be a file among the parameters of a call.

    Args:
        filename: As the person sees it.
        content: The bytes; empty when they are in a file.
        path: The file that has them.
    """

    filename: str
    content: bytes
    path: str = ""


class BotApi(Protocol):
    """Carry out methods of the Bot API."""

    async def call(
        self, method: str, params: dict[str, Any], *, timeout_s: float = 30
    ) -> msgspec.Raw:
        """Carry out one method and return the JSON of its result.

        Args:
            method: As documented, such as `sendMessage`.
            params: As documented; None stands for "not given".
            timeout_s: For the whole of it.

        Raises:
            TransportError: One of its leaves.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        ...


async def identify(api: BotApi, *, timeout_s: float = 30) -> BotIdentity:
    """Ask who the bot is.

    Raises:
        Unauthorized: The token is wrong or revoked.
        TransportUnavailable: The server did not answer, or not as the Bot API does.
    """
    answer = await api.call("getMe", {}, timeout_s=timeout_s)
    try:
        bot = msgspec.json.decode(answer, type=BotUser)
    except msgspec.DecodeError:
        bot = None
    if bot is None:
        raise TransportUnavailable("getMe was answered without a bot; check `api_base_url`")
    return BotIdentity(bot.id, bot.username)
