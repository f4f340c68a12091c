"""The short set-up of the first start: four questions, and nothing is written before the last."""

import os
import random
import secrets
from pathlib import Path
from typing import Any, Protocol

import anyio

from takopi.app.config_edit import edit_document, set_values
from takopi.app.engines import EngineShelf, first_choices
from takopi.app.home import Home, current_directory, is_directory
from takopi.app.locks import BotLocks
from takopi.bridge.clock import SystemClock
from takopi.engines import find_engines
from takopi.errors import ConfigError, PluginError, TransportError, Unauthorized, UsageError
from takopi.logging import add_secrets
from takopi.settings import Settings
from takopi.settings.keys import TELEGRAM, accept

__all__ = ["Asker", "missing", "not_set_up", "set_up"]


class Asker(Protocol):
    """Talk with the person at the terminal; every question may raise `KeyboardInterrupt`."""

    def say(self, text: str) -> None:
        """Tell something."""
        ...

    def ask(self, question: str, default: str = "") -> str:
        """Ask for a line; an empty one means the default."""
        ...

    def ask_secret(self, question: str) -> str:
        """Ask for a line that is not shown."""
        ...


def missing(settings: Settings) -> tuple[str, ...]:
    """Name the keys without which the bot cannot start."""
    values = {
        TELEGRAM + "bot_token": settings.telegram.bot_token,
        TELEGRAM + "chat_id": settings.telegram.chat_id,
    }
    return tuple(name for name, value in values.items() if value is None)


def not_set_up(settings: Settings) -> ConfigError:
    """Say what to do where nobody can be asked."""
    wanted = " and ".join(missing(settings))
    return ConfigError(
        f"takopi is not set up: {settings.path} has no {wanted}.\n"
        "Run `takopi` in a terminal once, it asks for what it needs; or write the file yourself "
        "(config.example.toml has every key), closed to others with `chmod 600`.\n"
        "Without Telegram, `takopi chat` works here and now."
    )


def set_up(home: Home, settings: Settings, asker: Asker) -> None:
    """Ask for what is missing and write it all at the end.

    Raises:
        KeyboardInterrupt: The person left; nothing was written.
        ConfigError: The file cannot be written.
    """
    asker.say(
        f"takopi is not set up yet. A few questions; nothing is written before the last answer.\n"
        f"Everything can be changed later in {home.config}."
    )
    values: dict[str, Any] = {}
    token = settings.telegram.bot_token
    base_url = settings.telegram.api_base_url
    if token is None:
        token = _ask_token(asker, base_url)
        values[TELEGRAM + "bot_token"] = token
    if settings.telegram.chat_id is None:
        values |= _ask_owner(home, token, base_url, asker)
    if settings.work_dir is None:
        values["work_dir"] = str(_ask_work_dir(asker))
    then = " and start"
    if settings.default_engine is None:
        engine = _ask_engine(home, settings, asker)
        then = then if engine else ""  # the bot cannot start without any
        values |= engine
    if asker.ask(f"Write {home.config}{then}? (yes or no)", "yes").lower() not in ("y", "yes"):
        raise KeyboardInterrupt
    with edit_document(home.config) as document:
        set_values(document, values)


def _ask_token(asker: Asker, base_url: str | None) -> str:
    asker.say(
        "\n1. The bot. In Telegram write /newbot to @BotFather; it gives you a token.\n"
        "   The token is not shown while you paste it."
    )
    while True:
        token = asker.ask_secret("   Token").strip()
        add_secrets([token])
        try:
            accept("token", token)
        except ValueError:
            asker.say("   ✗ that is not a token; it looks like 123456789:AAF...")
            continue
        try:
            identity = anyio.run(_identify, token, base_url)
        except TransportError as error:
            asker.say(f"   ✗ {error}")
            continue
        asker.say(f"   ✓ @{identity.username}")
        return token


async def _identify(token: str, base_url: str | None) -> Any:
    from takopi.telegram.api import TelegramConfig
    from takopi.telegram.lean_api import probe_bot

    return await probe_bot(TelegramConfig(token, base_url))


def _ask_owner(home: Home, token: str, base_url: str | None, asker: Asker) -> dict[str, Any]:
    asker.say("\n2. You. Nobody but you will be served; a link with a one-time code finds you.")
    while True:
        try:
            with BotLocks(home.path, token, base_url, os.environ):
                owner = anyio.run(_learn_owner, token, base_url, asker)
        except Unauthorized:
            raise
        except (TransportError, UsageError) as error:
            asker.say(f"   ✗ {error}")
        else:
            asker.say(f"   ✓ {owner.name} (id {owner.user_id})")
            return {
                TELEGRAM + "chat_id": owner.chat_id,
                TELEGRAM + "allowed_user_ids": [owner.user_id],
            }
        asker.ask("   Press Enter for another link")


async def _learn_owner(token: str, base_url: str | None, asker: Asker) -> Any:
    from takopi.telegram.api import TelegramConfig, identify
    from takopi.telegram.lean_api import LeanApi
    from takopi.telegram.pairing import Pairing, learn_owner

    api = LeanApi(TelegramConfig(token, base_url))
    clock = SystemClock()
    try:
        bot = await identify(api)
        pairing = Pairing.offer(bot, secrets.token_bytes(16), clock.now())
        asker.say(f"   Open this link within 10 minutes and press Start:\n   {pairing.link}")
        owner = await learn_owner(api, pairing, clock, jitter=random.random)
        if owner is None:
            raise UsageError("nobody opened the link in time")
        return owner
    finally:
        with anyio.CancelScope(shield=True):
            await api.aclose()


def _ask_work_dir(asker: Asker) -> Path:
    asker.say("\n3. The directory in which new sessions start.")
    while True:
        answer = asker.ask("   Directory", str(current_directory()))
        try:
            path: Path = accept("path", answer)
        except ValueError:
            asker.say("   ✗ give the whole path, beginning with / or ~")
            continue
        if is_directory(path):
            return path
        asker.say(f"   ✗ {path} is not a directory")


def _ask_engine(home: Home, settings: Settings, asker: Asker) -> dict[str, Any]:
    asker.say("\n4. The engine that answers when you name none.")
    shelf = EngineShelf(find_engines(home.path), settings)
    installed = _installed(shelf)
    if not installed:
        asker.say("   None is installed yet, and the bot needs one; `takopi doctor` says how.")
        return {}
    while True:
        answer = asker.ask(f"   Engine ({', '.join(installed)})", installed[0]).strip()
        if answer in installed:
            return {"default_engine": answer}
        asker.say(f"   ✗ one of {', '.join(installed)}")


def _installed(shelf: EngineShelf) -> list[str]:
    found = []
    for engine in first_choices(shelf.ids()):
        try:
            if shelf.installed(engine).path is not None:
                found.append(engine)
        except PluginError:
            continue  # the doctor tells about it
    return found
