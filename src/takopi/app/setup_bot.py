"""The steps of the set-up that need Telegram: the bot's token, its owner, a first message."""

import os
import random
import secrets
from typing import TYPE_CHECKING

import anyio
import msgspec

from takopi.app.asking import Asker
from takopi.app.home import Home
from takopi.app.locks import BotLocks, Flock
from takopi.bridge.clock import SystemClock
from takopi.core.onboarding import BotFacts, Choice, pasted_token
from takopi.core.qr_code import qr_code
from takopi.errors import TransportError, Unauthorized, UsageError
from takopi.logging import add_secrets
from takopi.settings.keys import accept

if TYPE_CHECKING:
    from takopi.telegram.pairing import Owner

__all__ = ["BotAccess", "ask_owner", "ask_token", "bot_runs", "greet", "look"]


class BotAccess(msgspec.Struct, frozen=True):
    """Hold what a bot is reached by.

    Args:
        token: Is never shown.
        base_url: Its server, when that is not Telegram's.
    """

    token: str
    base_url: str | None = None

    def __repr__(self) -> str:
        """Leave the token out."""
        return f"BotAccess(base_url={self.base_url!r})"


def look(access: BotAccess) -> BotFacts:
    """Ask Telegram about the bot.

    Raises:
        TransportError: It did not say.
    """
    from takopi.telegram.api import TelegramConfig
    from takopi.telegram.bot_facts import look_at_bot

    return anyio.run(look_at_bot, TelegramConfig(access.token, access.base_url))


def ask_token(
    asker: Asker, base_url: str | None, present: str | None
) -> tuple[BotAccess, BotFacts]:
    """Ask for the token until Telegram knows it.

    Args:
        present: The one that is configured.
    """
    if present is not None:
        access = BotAccess(present, base_url)
        facts = _checked(asker, access)
        if facts is not None:
            choices = (Choice(f"keep @{facts.username}"), Choice("another bot"))
            if asker.choose("Which bot?", choices) == 0:
                return access, facts
    asker.say(
        "takopi speaks through a Telegram bot of your own. To make one, in Telegram:\n"
        "1. open a chat with @BotFather (https://t.me/BotFather) and tap Start\n"
        "2. write /newbot\n"
        "3. write a name for it, any name, such as: My agents\n"
        "4. write a username for it that ends in bot, such as: ann_agents_bot\n"
        "@BotFather answers with a token like 123456789:AAF... Copy it and paste it here. Whoever "
        "has it is the bot, so it is not shown."
    )
    while True:
        access = BotAccess(_ask_for_one(asker), base_url)
        facts = _checked(asker, access)
        if facts is not None:
            return access, facts


def _ask_for_one(asker: Asker) -> str:
    while True:
        typed = asker.ask_secret("Token")
        if not typed.strip():
            continue  # the line break before a paste
        token = pasted_token(typed)
        add_secrets([token])
        try:
            return str(accept("token", token))
        except ValueError:
            asker.say("that is not a token; it looks like 123456789:AAF...", "bad")


def _checked(asker: Asker, access: BotAccess) -> BotFacts | None:
    """Return the bot; None for another token, as long as the person does not try again."""
    while True:
        try:
            facts = look(access)
        except Unauthorized as error:
            asker.say(str(error), "bad")
            return None
        except TransportError as error:
            asker.say(str(error), "bad")
            if asker.choose("And now?", (Choice("try again"), Choice("another token"))):
                return None
            continue
        asker.say(f"@{facts.username}", "good")
        return facts


def ask_owner(home: Home, access: BotAccess, asker: Asker, *, can_keep: bool) -> "Owner | None":
    """Learn the owner by a link with a one-time code; None when the present one is kept.

    Args:
        can_keep: Whether there is a present one.

    Raises:
        Unauthorized: The token was revoked.
    """
    asker.say(
        "Nobody but you is served. The link has a code that works once: open it where you use "
        "Telegram, and tap Start there."
    )
    while True:
        try:
            with BotLocks(home.path, access.token, access.base_url, os.environ):
                owner = anyio.run(_learn_owner, access, asker)
        except Unauthorized:
            raise
        except (TransportError, UsageError) as error:
            asker.forget()
            asker.say(str(error), "bad")
        else:
            asker.forget()
            asker.say(f"{owner.name} (id {owner.user_id})", "good")
            return owner
        keep = (Choice("keep the present owner"),) if can_keep else ()
        if asker.choose("And now?", (Choice("try again, with another link"), *keep)):
            return None


async def _learn_owner(access: BotAccess, asker: Asker) -> "Owner":
    from takopi.telegram.api import TelegramConfig, identify
    from takopi.telegram.lean_api import LeanApi
    from takopi.telegram.pairing import Pairing, learn_owner

    api = LeanApi(TelegramConfig(access.token, access.base_url))
    clock = SystemClock()
    try:
        bot = await identify(api)
        pairing = Pairing.offer(bot, secrets.token_bytes(16), clock.now())
        picture = qr_code(pairing.link)
        if picture is not None:
            asker.draw(picture)
        asker.show(pairing.link)
        asker.say("Waiting for you, 10 minutes at most...", "hint")
        owner = await learn_owner(api, pairing, clock, jitter=random.random)
        if owner is None:
            raise UsageError("nobody opened the link in time")
        return owner
    finally:
        with anyio.CancelScope(shield=True):
            await api.aclose()


def bot_runs(home: Home) -> bool:
    """Tell whether a takopi serves this folder."""
    lock = Flock(home.bot_lock)
    try:
        return lock.acquire() is not None
    finally:
        lock.release()


def greet(access: BotAccess, chat_id: int, text: str) -> None:
    """Send a first message to the chat.

    Raises:
        TransportError: It did not arrive.
    """
    from takopi.telegram.api import TelegramConfig
    from takopi.telegram.bot_facts import send_greeting

    config = TelegramConfig(access.token, access.base_url)
    anyio.run(send_greeting, config, chat_id, text)
