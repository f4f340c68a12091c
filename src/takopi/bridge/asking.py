"""Turns that no message asks for by itself: a button, a schedule, a plug-in or a script does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from takopi.bridge.ports import Clock, Store
from takopi.bridge.records import Change, MessageBound, TurnPut, TurnRecord
from takopi.bridge.routing import Router
from takopi.bridge.scheduler import Scheduler
from takopi.core.decisions import Prompt

__all__ = ["Asking", "AskingPorts"]


@dataclass(frozen=True, slots=True)
class AskingPorts:
    """Bind what asking needs.

    Args:
        store: Takes the turns.
        scheduler: Runs them.
        router: Knows where they run.
        clock: Tells the time.
        new_id: Makes their ids.
    """

    store: Store
    scheduler: Scheduler
    router: Router
    clock: Clock
    new_id: Callable[[], str]


class Asking:
    """Start turns as the dispatcher does for messages: written down first, then scheduled.

    Args:
        ports: What asking needs.
    """

    def __init__(self, ports: AskingPorts) -> None:
        self._ports = ports

    def draft(self, prompt: Prompt, asked: TurnRecord) -> TurnRecord:
        """Make the turn of a prompt.

        Args:
            prompt: What is asked, of whom and where, as `core.route` decides it.
            asked: Scope, chat_kind, person, messages, origin, after and the like; its id, prompt,
                engine, session and context are filled in here.
        """
        ports = self._ports
        turn_id = asked.turn_id or ports.new_id()
        turn = replace(
            asked,
            turn_id=turn_id,
            engine=prompt.engine,
            conversation=prompt.follows.conversation if prompt.follows else turn_id,
            prompt=prompt.text,
            asked=prompt.resume,
            accepted_at=ports.clock.wall(),
        )
        return ports.router.placed(turn, prompt)

    async def submit(self, turn: TurnRecord, changes: Sequence[Change] = ()) -> None:
        """Write a turn down, with what belongs to it, and let it start when it may.

        Args:
            turn: As `draft` made it.
            changes: What is written down with it, such as the mark of a press.

        Raises:
            StoreError: The journal did not take it, so nothing happened.
            OfferClosed: One of the changes came too late.
        """
        chat = turn.scope.chat_id
        bound = [MessageBound(chat, number, turn.turn_id, "prompt") for number in turn.messages]
        await self._ports.store.commit([TurnPut(turn), *bound, *changes])
        self._ports.scheduler.submit(turn)
