"""What Telegram says about a bot, beyond who it is."""

import msgspec

from takopi.core.onboarding import BotFacts
from takopi.errors import TransportUnavailable
from takopi.telegram.api import TelegramConfig
from takopi.telegram.lean_api import LeanApi

__all__ = ["look_at_bot", "send_greeting"]

LIMIT_S = 10.0


class _Answer(msgspec.Struct, frozen=True):
    """Mirror what getMe returns: https://core.telegram.org/bots/api#getme."""

    id: int
    username: str
    can_read_all_group_messages: bool = False
    has_topics_enabled: bool = False


async def look_at_bot(config: TelegramConfig) -> BotFacts:
    """Ask once who the token belongs to and what that bot may see.

    Raises:
        Unauthorized: The token is wrong or revoked.
        TransportUnavailable: The server did not answer, or not as the Bot API does.
    """
    api = LeanApi(config)
    try:
        said = await api.call("getMe", {}, timeout_s=LIMIT_S)
        bot = msgspec.json.decode(said, type=_Answer)
    except msgspec.DecodeError as error:
        raise TransportUnavailable(
            "getMe was answered without a bot; check `api_base_url`"
        ) from error
    finally:
        await api.aclose()
    return BotFacts(
        id=bot.id,
        username=bot.username,
        reads_groups=bot.can_read_all_group_messages,
        has_topics=bot.has_topics_enabled,
    )


async def send_greeting(config: TelegramConfig, chat_id: int, text: str) -> None:
    """Send one message that no bot is needed for.

    Raises:
        TransportError: It did not arrive.
    """
    api = LeanApi(config)
    try:
        await api.call("sendMessage", {"chat_id": chat_id, "text": text}, timeout_s=LIMIT_S)
    finally:
        await api.aclose()
