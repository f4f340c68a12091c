"""Telegram's registration as a transport; its client is loaded when a bot connects."""

from collections.abc import Mapping, Sequence
from typing import Any

from takopi.backends import SetupIssue
from takopi.telegram.api import TelegramConfig
from takopi.telegram.transport import TelegramTransport
from takopi.telegram.updates import TRANSPORT_ID
from takopi.transports import (
    ServedTransport,
    SetupTalk,
    TransportCapabilities,
    TransportConfig,
)

__all__ = ["BACKEND", "TelegramBackend"]


class TelegramBackend:
    """Register Telegram."""

    id = TRANSPORT_ID
    description = "A bot in Telegram, in private chats and groups"
    capabilities = TransportCapabilities(files=True, topics=True, reactions=True)
    own_chat: int | None = None

    def check_setup(self, config: TransportConfig) -> Sequence[SetupIssue]:
        """Name what is missing."""
        prefix = f"transports.{self.id}."
        steps = {
            "bot_token": f"set it with `takopi config set {prefix}bot_token -`",
            "chat_id": f"set it with `takopi config set {prefix}chat_id <your user id>`",
        }
        return [
            SetupIssue(f"{prefix}{name} is not set", (step,))
            for name, step in steps.items()
            if config.table.get(name) is None
        ]

    def interactive_setup(self, config: TransportConfig, talk: SetupTalk) -> Mapping[str, Any]:
        """Ask for token and chat; `takopi --onboard` is the friendly way, with a test message."""
        token = config.table.get("bot_token") or talk.ask_secret("Token from @BotFather")
        chat = config.table.get("chat_id") or talk.ask("Id of your private chat with the bot")
        return {"bot_token": token, "chat_id": int(chat)}

    def lock_token(self, config: TransportConfig) -> str | None:
        """Name the bot: one of the same number on another Bot API server is another bot."""
        token = config.table.get("bot_token")
        if token is None:
            return None
        return f"{config.table.get('api_base_url') or TRANSPORT_ID}:{token.partition(':')[0]}"

    def build(self, config: TransportConfig) -> ServedTransport:
        """Make the transport."""
        token = str(config.table.get("bot_token") or "")
        return TelegramTransport(TelegramConfig(token, config.table.get("api_base_url")))


BACKEND = TelegramBackend()
