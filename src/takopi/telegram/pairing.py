"""Learning who the owner is: by a one-time code, never "whoever writes first".

The set-up shows a link with a code of 128 bits. Whoever opens it sends `/start <code>` to the bot
from their private chat, and is the owner. Everybody else stays a stranger: they get no call at
all, and cannot use the code up.
"""

from collections.abc import Callable

import msgspec

from takopi.bridge.ports import Clock
from takopi.errors import TransportError, Unauthorized
from takopi.logging import get_logger
from takopi.telegram.api import BotApi, BotIdentity
from takopi.telegram.batch import read_batch
from takopi.telegram.pace import Pace
from takopi.telegram.start_code import CALL_MARGIN_S, POLL_TIMEOUT_S, VALID_S, says_code
from takopi.telegram.wire import Message

__all__ = ["Owner", "Pairing", "learn_owner"]

logger = get_logger(__name__)

CODE_BYTES = 16


class Owner(msgspec.Struct, frozen=True):
    """Be the person who opened the link.

    Args:
        chat_id: Their private chat with the bot.
        user_id: Their id; equal to `chat_id` in Telegram, and yet another thing.
        name: How they call themselves.
    """

    chat_id: int
    user_id: int
    name: str


class Pairing(msgspec.Struct, frozen=True):
    """Be one offer to become the owner. Pure: the caller brings bytes and time.

    Args:
        bot: Who the bot is.
        code: 32 hexadecimal digits.
        expires_at: Clock's seconds.
    """

    bot: BotIdentity
    code: str
    expires_at: float

    @classmethod
    def offer(cls, bot: BotIdentity, random_bytes: bytes, now: float) -> "Pairing":
        """Make an offer that is valid for ten minutes.

        Args:
            random_bytes: 16 bytes that nobody can guess.
        """
        assert len(random_bytes) == CODE_BYTES
        return cls(bot, random_bytes.hex(), now + VALID_S)

    @property
    def link(self) -> str:
        """Give the link to open in Telegram."""
        return f"https://t.me/{self.bot.username}?start={self.code}"

    def accept(self, message: Message | None, now: float) -> Owner | None:
        """Return the owner if this message is the right one, in time and in private."""
        if message is None or message.chat.type != "private" or now >= self.expires_at:
            return None
        person = message.from_
        if person is None or person.is_bot or message.sender_chat is not None:
            return None
        if message.forward_origin is not None:
            return None
        if not says_code(message.text, self.code):
            return None
        name = " ".join(part for part in (person.first_name, person.last_name) if part)
        return Owner(message.chat.id, person.id, name or person.username or str(person.id))


async def learn_owner(
    api: BotApi, pairing: Pairing, clock: Clock, *, jitter: Callable[[], float]
) -> Owner | None:
    """Wait until somebody opens the link; None when nobody did in time.

    The owner gets one message that says so. Their `/start` is confirmed to the server, so that
    the bot does not take it for a prompt later.

    Raises:
        Unauthorized: The token was revoked meanwhile.
    """
    pace = Pace(jitter)
    offset = 0
    while (left_s := pairing.expires_at - clock.now()) > 0:
        timeout_s = int(min(POLL_TIMEOUT_S, left_s)) or 1
        params = {"offset": offset, "timeout": timeout_s, "allowed_updates": ["message"]}
        try:
            answer = await api.call("getUpdates", params, timeout_s=timeout_s + CALL_MARGIN_S)
            updates = read_batch(answer)
        except Unauthorized:
            raise
        except TransportError as error:
            logger.warning("telegram.pairing_waits", error=str(error))
            await clock.sleep_until(clock.now() + pace.after_failure(error))
            continue
        pace.after_success()
        for numbered in updates:
            offset = numbered.number + 1
            message = None if numbered.update is None else numbered.update.message
            owner = pairing.accept(message, clock.now())
            if owner is not None:
                await _welcome(api, owner, offset)
                return owner
    return None


async def _welcome(api: BotApi, owner: Owner, offset: int) -> None:
    text = "This is your takopi now. Go on in the terminal where you started it."
    calls = (
        ("getUpdates", {"offset": offset, "limit": 1, "timeout": 0}),
        ("sendMessage", {"chat_id": owner.chat_id, "text": text}),
    )
    for method, params in calls:
        try:
            await api.call(method, params, timeout_s=CALL_MARGIN_S)
        except TransportError as error:  # the owner is known; neither call is worth losing that
            logger.info("telegram.welcome_failed", method=method, error=str(error))
