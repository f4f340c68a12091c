"""The doctor's look at Telegram: the token, the chat, the people."""

from typing import Any

import msgspec

from takopi.app.checks import Check
from takopi.core.access import access_policy
from takopi.errors import ConfigError, TransportError, Unauthorized
from takopi.settings import Settings

__all__ = ["check_access", "check_telegram"]

SET_TOKEN = "set it with `takopi config set transports.telegram.bot_token -`"  # noqa: S105
SET_CHAT = "set it with `takopi config set transports.telegram.chat_id <your user id>`"


class _Chat(msgspec.Struct):
    """Mirror the part of https://core.telegram.org/bots/api#chatfullinfo that is shown."""

    type: str = "private"
    title: str | None = None
    username: str | None = None
    first_name: str | None = None


async def check_telegram(settings: Settings) -> list[Check]:
    """Ask Telegram who the bot is and whether it sees the chat."""
    telegram = settings.telegram
    if telegram.bot_token is None:
        return [Check("token", "wrong", f"there is none; {SET_TOKEN}")]
    from takopi.telegram.api import TelegramConfig, identify
    from takopi.telegram.lean_api import LeanApi

    api = LeanApi(TelegramConfig(telegram.bot_token, telegram.api_base_url))
    try:
        identity = await identify(api, timeout_s=15)
        checks = [Check("token", "ok", f"@{identity.username} (id {identity.id})")]
        if telegram.chat_id is not None:
            checks.append(await _check_chat(api, telegram.chat_id))
    except Unauthorized as error:
        return [Check("token", "wrong", str(error))]
    except TransportError as error:
        return [Check("token", "wrong", f"could not be checked: {error}")]
    finally:
        await api.aclose()
    return checks


async def _check_chat(api: Any, chat_id: int) -> Check:
    try:
        answer = await api.call("getChat", {"chat_id": chat_id}, timeout_s=15)
        chat = msgspec.json.decode(answer, type=_Chat)
    except Unauthorized:
        raise
    except TransportError as error:
        return Check(
            "chat",
            "wrong",
            f"the bot does not see chat {chat_id}: {error}; write to the bot once, or add it to "
            "the group",
        )
    name = chat.title or (f"@{chat.username}" if chat.username else chat.first_name) or "no name"
    return Check("chat", "ok", f"{name} ({chat.type}, id {chat_id})")


def check_access(settings: Settings) -> list[Check]:
    """Say who is served."""
    telegram = settings.telegram
    if telegram.chat_id is None:
        return [Check("chat", "wrong", f"chat_id is not set; {SET_CHAT}")]
    try:
        policy = access_policy(
            chat_id=telegram.chat_id,
            allowed_chat_ids=settings.served_chat_ids,
            allowed_user_ids=telegram.allowed_user_ids,
        )
    except ConfigError as error:
        return [Check("access", "wrong", str(error))]
    people = sorted(policy.user_ids) or [policy.owner_chat_id]
    chats = len(policy.chat_ids)
    where = "1 chat" if chats == 1 else f"{chats} chats"
    served = f"served: {', '.join(map(str, people))}, in {where}"
    checks = [Check("access", "ok", served)]
    if telegram.chat_id > 0 and telegram.chat_id not in people:
        checks.append(
            Check(
                "access",
                "warning",
                f"the owner of the private chat {telegram.chat_id} is not in allowed_user_ids and "
                "so is not served",
            )
        )
    return checks
