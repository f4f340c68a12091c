"""Say with a reaction that a prompt was seen, and that its turn is done.

A reaction is a courtesy: it is in no journal, it goes out beside the outbox so that no message
waits for it, and when it fails nobody hears of it. How many reactions a service takes is written
down nowhere, so one is on its way in a chat at a time, with a pause behind each, and a chat that
refuses one is left alone for a while.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from anyio.abc import TaskGroup

from takopi.bridge.border import border
from takopi.bridge.ports import Clock, TurnFilter
from takopi.bridge.records import TurnRecord
from takopi.core.chat import ChatKind
from takopi.core.reactions import SEEN, reaction_of_end
from takopi.core.turn_state import ENDS
from takopi.errors import FloodLimited, TargetLost, TransportError
from takopi.logging import get_logger
from takopi.transport import MessageRef

__all__ = ["ReactionService", "Reactions"]

_log = get_logger(__name__)

MAX_WAITING = 20
PAUSE_S: dict[ChatKind, float] = {"private": 1.0, "group": 3.0}
REFUSED_FOR_S = 600.0
LATEST_S = 60.0
"""The last reaction of a full queue goes out so long after its turn ended."""


class ReactionService(Protocol):
    """Be the part of a chat service that puts reactions on messages."""

    async def react(self, ref: MessageRef, emoji: str | None) -> None:
        """Put this bot's one reaction on a message, or take it back with None.

        Raises:
            TransportError: The service did not take it.
        """
        ...


class EndedTurns(Protocol):
    """Be the part of the journal that knows which turns ended."""

    async def newest_turns(self, wanted: TurnFilter, limit: int) -> tuple[TurnRecord, ...]:
        """List turns, the newest first."""
        ...


@dataclass(slots=True)
class _Chat:
    """Hold what is wanted in one chat, by message; the oldest wish comes first."""

    wishes: dict[int, str | None] = field(default_factory=dict)
    busy: bool = False
    silent_until: float = 0.0


class Reactions:
    """Put reactions on prompts, some time soon, or never.

    Args:
        service: Puts them there.
        clock: Tells the time.
        group: They go out in it.
    """

    def __init__(self, service: ReactionService, clock: Clock, group: TaskGroup) -> None:
        self._service = service
        self._clock = clock
        self._group = group
        self._chats: dict[int, _Chat] = {}

    def seen(self, turn: TurnRecord) -> None:
        """Say that the prompt of a turn was taken; it waits or starts."""
        self._wish(turn, SEEN)

    def over(self, turn: TurnRecord) -> None:
        """Say that the final of a turn is there."""
        self._wish(turn, reaction_of_end(turn.outcome))

    async def take_up(self, store: EndedTurns, own: Callable[[TurnRecord], bool]) -> None:
        """Say once more which turns are over that ended shortly before an earlier takopi did.

        Nothing says whether its reactions went out. Said twice they look as said once.

        Args:
            store: Knows the turns.
            own: Tells whether a turn is one of those that are served here.
        """
        with border("looking for turns that ended"):
            turns = await store.newest_turns(TurnFilter(), MAX_WAITING)
            ended = [turn for turn in turns if turn.state in ENDS and turn.ended_at is not None]
            last = max((turn.ended_at or 0.0 for turn in ended), default=0.0)
            for turn in reversed(ended):
                if (turn.ended_at or 0.0) >= last - LATEST_S and own(turn):
                    self.over(turn)

    def _wish(self, turn: TurnRecord, emoji: str | None) -> None:
        if turn.origin != "prompt" or turn.silent or not turn.messages or turn.messages[0] < 0:
            return  # nobody wrote it, or before the chat got another id, where that is no message
        number = turn.scope.chat_id
        chat = self._chats.setdefault(number, _Chat())
        if self._clock.now() < chat.silent_until:
            return
        chat.wishes.pop(turn.messages[0], None)
        chat.wishes[turn.messages[0]] = emoji
        if len(chat.wishes) > MAX_WAITING:
            del chat.wishes[next(iter(chat.wishes))]
        if not chat.busy:
            chat.busy = True
            self._group.start_soon(self._work, number, chat, PAUSE_S[turn.chat_kind])

    async def _work(self, number: int, chat: _Chat, pause_s: float) -> None:
        """Put the reactions of a chat there, one after the other."""
        try:
            while chat.wishes:
                message = next(iter(chat.wishes))
                emoji = chat.wishes.pop(message)
                silent_s = await self._react(MessageRef(number, message), emoji)
                if silent_s:
                    chat.silent_until = self._clock.now() + silent_s
                    chat.wishes.clear()
                await self._clock.sleep_until(self._clock.now() + pause_s)
        finally:
            chat.busy = False

    async def _react(self, ref: MessageRef, emoji: str | None) -> float:
        """Make one call; return for how many seconds the chat is to be left alone."""
        with border("reacting to a prompt", chat=ref.channel_id):
            try:
                await self._service.react(ref, emoji)
            except TargetLost:
                return 0.0  # the person took the prompt back
            except FloodLimited as error:
                return error.retry_after_s
            except TransportError as error:
                _log.info("reaction.refused", chat=ref.channel_id, error=str(error))
            else:
                return 0.0
        return REFUSED_FOR_S
