"""A strict stand-in for the Telegram Bot API.

`async with TelegramApi() as api:` listens on 127.0.0.1 and knows one bot (`TOKEN`) and one person
(`api.owner`). It refuses what the real server refuses, with the same words, and can be told to
fail in every way the real one fails.
"""

from .disorder import disorder
from .faults import Fault, random_faults
from .people import Person
from .refusal import Refusal
from .server import OWNER_ID, TOKEN, TelegramApi
from .transcript import Call
from .world import Chat, Message, User

__all__ = [
    "OWNER_ID",
    "TOKEN",
    "Call",
    "Chat",
    "Fault",
    "Message",
    "Person",
    "Refusal",
    "TelegramApi",
    "User",
    "disorder",
    "random_faults",
]
