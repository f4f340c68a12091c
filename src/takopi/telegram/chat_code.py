"""Learning a chat's id: an allowed person writes a one-time code in it.

Unlike at the set-up, prompts may already wait for the bot, and whoever confirms an update to the
server takes it away from the bot. So nothing is confirmed but the code's own message, and that only
when nothing older waits; the server is asked again and again instead.
"""

from collections.abc import Callable

import msgspec

from takopi.bridge.ports import Clock
from takopi.core.texts import tr
from takopi.errors import TransportError, Unauthorized, UsageError
from takopi.logging import get_logger
from takopi.telegram.api import BotApi, BotIdentity
from takopi.telegram.batch import NumberedUpdate, read_batch
from takopi.telegram.pace import Pace
from takopi.telegram.start_code import CALL_MARGIN_S, POLL_TIMEOUT_S, VALID_S, says_code
from takopi.telegram.updates import ALLOWED_UPDATES
from takopi.telegram.wire import Message

__all__ = ["ChatCode", "LearnedChat", "learn_chat"]

logger = get_logger(__name__)

CODE_BYTES = 4
ASK_AGAIN_S = 2.0
# As many updates as the server gives at once; behind them the code could not be seen.
FULL = 100


class LearnedChat(msgspec.Struct, frozen=True):
    """Be the chat in which the code was written.

    Args:
        chat_id: Its id.
        kind: What the Bot API calls it, such as `supergroup`.
    """

    chat_id: int
    kind: str


class ChatCode(msgspec.Struct, frozen=True):
    """Be one offer to name a chat. Pure: the caller brings bytes and time.

    Args:
        bot: Who the bot is.
        people: Ids of those who may name one.
        code: 8 hexadecimal digits; a stranger who guesses them gains nothing.
        expires_at: Clock's seconds.
    """

    bot: BotIdentity
    people: frozenset[int]
    code: str
    expires_at: float

    @classmethod
    def offer(
        cls, bot: BotIdentity, people: frozenset[int], random_bytes: bytes, now: float
    ) -> "ChatCode":
        """Make an offer that is valid for ten minutes.

        Args:
            random_bytes: 4 bytes.
        """
        assert len(random_bytes) == CODE_BYTES
        return cls(bot, people, random_bytes.hex(), now + VALID_S)

    @property
    def text(self) -> str:
        """Give what has to be written; a bot sees commands also where it sees nothing else."""
        return f"/start@{self.bot.username} {self.code}"

    @property
    def link(self) -> str:
        """Give the link that adds the bot to a group and writes the code there."""
        return f"https://t.me/{self.bot.username}?startgroup={self.code}"

    def accept(self, message: Message | None, now: float) -> LearnedChat | None:
        """Return the chat if this message is the right one, in time and by an allowed person."""
        if message is None or now >= self.expires_at or message.forward_origin is not None:
            return None
        if message.from_ is None or message.sender_chat is not None:
            return None
        if message.from_.is_bot or message.from_.id not in self.people:
            return None
        if not says_code(message.text, self.code):
            return None
        return LearnedChat(message.chat.id, message.chat.type)


async def learn_chat(
    api: BotApi, offer: ChatCode, clock: Clock, *, jitter: Callable[[], float]
) -> LearnedChat | None:
    """Wait until the code is written; None when nobody wrote it in time.

    Raises:
        Unauthorized: The token was revoked meanwhile.
        UsageError: So much waits for the bot that the code cannot be seen.
    """
    pace = Pace(jitter)
    waiting = False
    while (left_s := offer.expires_at - clock.now()) > 0:
        timeout_s = 0 if waiting else int(min(POLL_TIMEOUT_S, left_s)) or 1
        params = {"timeout": timeout_s, "allowed_updates": list(ALLOWED_UPDATES)}
        try:
            answer = await api.call("getUpdates", params, timeout_s=timeout_s + CALL_MARGIN_S)
            updates = read_batch(answer)
        except Unauthorized:
            raise
        except TransportError as error:
            logger.warning("telegram.chat_code_waits", error=str(error))
            await clock.sleep_until(clock.now() + pace.after_failure(error))
            continue
        pace.after_success()
        chat = _find(offer, updates, clock.now())
        if chat is not None:
            first = offer.accept(_message(updates[0]), clock.now()) is not None
            await _confirm(api, chat, updates[0].number + 1 if first else None)
            return chat
        if len(updates) >= FULL:
            raise UsageError(
                "more than a hundred messages wait for the bot, and the code would come after "
                "them; start `takopi` until it has read them, end it, and try again"
            )
        waiting = bool(updates)
        if waiting:
            await clock.sleep_until(clock.now() + ASK_AGAIN_S)
    return None


def _message(numbered: NumberedUpdate) -> Message | None:
    return None if numbered.update is None else numbered.update.message


def _find(offer: ChatCode, updates: list[NumberedUpdate], now: float) -> LearnedChat | None:
    found = (offer.accept(_message(one), now) for one in updates)
    return next((chat for chat in found if chat is not None), None)


async def _confirm(api: BotApi, chat: LearnedChat, offset: int | None) -> None:
    said = tr("This chat is known now. Go on in the terminal.")
    calls = [("sendMessage", {"chat_id": chat.chat_id, "text": said})]
    if offset is not None:
        calls.insert(0, ("getUpdates", {"offset": offset, "limit": 1, "timeout": 0}))
    for method, params in calls:
        try:
            await api.call(method, params, timeout_s=CALL_MARGIN_S)
        except TransportError as error:  # the chat is known; neither call is worth losing that
            logger.info("telegram.chat_code_not_confirmed", method=method, error=str(error))
