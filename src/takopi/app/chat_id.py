"""Learn the id of a chat, and bind it to a project."""

import os
import random
import secrets
from collections.abc import Callable

import anyio

from takopi.app.config_edit import edit_document, set_values
from takopi.app.home import Home
from takopi.app.locks import BotLocks
from takopi.bridge.clock import SystemClock
from takopi.errors import ConfigError, UsageError
from takopi.logging import add_secrets
from takopi.settings import Settings
from takopi.settings.projects import read_projects
from takopi.telegram.chat_code import CODE_BYTES, ChatCode, LearnedChat, learn_chat

__all__ = ["bind_chat", "learn_chat_id"]


def learn_chat_id(
    home: Home, settings: Settings, project: str | None, say: Callable[[str], None]
) -> LearnedChat:
    """Wait until an allowed person writes the code in a chat; bind it when a project is named.

    Raises:
        ConfigError: There is no token, or nobody is allowed.
        UsageError: The project is unknown, the bot runs, or nobody wrote the code in time.
    """
    token = settings.telegram.bot_token
    people = _people(settings)
    if token is None or not people:
        raise ConfigError(f"{settings.path}: takopi is not set up yet; run `takopi` once")
    add_secrets([token])
    if project is not None and settings.projects.find(project) is None:
        known = ", ".join(settings.projects.aliases) or "none"
        raise UsageError(
            f"there is no project `{project}`; there are: {known}. `takopi init` in its directory "
            "makes one"
        )
    with BotLocks(home.path, token, settings.telegram.api_base_url, os.environ):
        chat = anyio.run(_learn, settings, token, people, say)
    if project is not None:
        bind_chat(settings, project, chat.chat_id)
    return chat


def _people(settings: Settings) -> frozenset[int]:
    """Name those who are served: the list, or else the owner of a private chat."""
    telegram = settings.telegram
    owner = telegram.chat_id or 0
    return frozenset(telegram.allowed_user_ids or ([owner] if owner > 0 else []))


async def _learn(
    settings: Settings, token: str, people: frozenset[int], say: Callable[[str], None]
) -> LearnedChat:
    from takopi.telegram.api import TelegramConfig, identify
    from takopi.telegram.lean_api import LeanApi

    api = LeanApi(TelegramConfig(token, settings.telegram.api_base_url))
    clock = SystemClock()
    try:
        bot = await identify(api)
        offer = ChatCode.offer(bot, people, secrets.token_bytes(CODE_BYTES), clock.now())
        say(
            f"Within 10 minutes, write this in the chat, under your own name:\n  {offer.text}\n"
            f"Or open this link to add the bot to a group, which writes it there:\n  {offer.link}"
        )
        chat = await learn_chat(api, offer, clock, jitter=random.random)
    finally:
        with anyio.CancelScope(shield=True):
            await api.aclose()
    if chat is None:
        raise UsageError("nobody who may speak wrote the code in time; try again")
    return chat


def bind_chat(settings: Settings, project: str, chat_id: int) -> None:
    """Write the chat of a project.

    Raises:
        UsageError: Another project has the chat.
        ConfigError: The file cannot be read or written, or is wrong.
    """
    with edit_document(settings.path) as document:
        other = read_projects(document.unwrap(), settings.path).of_chat(chat_id)
        if other is not None and other.alias != project:
            raise UsageError(
                f"chat {chat_id} belongs to the project `{other.alias}`, and a chat is bound to "
                f"one; first run `takopi config unset projects.{other.alias}.chat_id`"
            )
        set_values(document, {f"projects.{project}.chat_id": chat_id})
