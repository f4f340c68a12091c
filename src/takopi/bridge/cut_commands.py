"""Commands whose text a client may have cut: they are done once the rest of it is there.

A prompt gathers its pieces while its turn waits; a command has no turn, so it is held back itself,
as parts of an album are. After a crash all of it is unhandled, and read together again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from takopi.bridge.drafts import Heard
from takopi.bridge.records import AcceptedUpdate
from takopi.bridge.steps import Decided, HeldBack, Step
from takopi.core.chat import MessageReceived, Scope
from takopi.core.decisions import BoundTurn, Route
from takopi.core.gathering import (
    LONG_WAIT_S,
    PromptPiece,
    WaitingPrompt,
    held_until,
    joined_text,
    prompt_of,
)

__all__ = ["CutCommands"]


@dataclass(slots=True, eq=False)
class _CutCommand:
    heard: Heard
    place: int
    pieces: list[PromptPiece]
    rest: list[AcceptedUpdate] = field(default_factory=list)
    open: bool = True


class CutCommands:
    """Hold the long commands of one reading.

    Args:
        route: Says what a message asks for.
    """

    def __init__(self, route: Callable[[MessageReceived, BoundTurn | None], Route]) -> None:
        self._route = route
        self._found: list[_CutCommand] = []

    def begin(self, heard: Heard, place: int) -> None:
        """Hold a command.

        Args:
            heard: Its message.
            place: The number of steps that come before it.
        """
        self._found.append(_CutCommand(heard, place, [heard.piece]))

    def take(self, heard: Heard) -> bool:
        """Add a message to the command whose rest it is; False when it is none's."""
        message, piece = heard.message, heard.piece
        if message.forwarded:
            return False
        waiting = [
            WaitingPrompt(
                str(number), found.heard.message.scope, found.heard.message.sender_id,
                tuple(found.pieces),
            )
            for number, found in enumerate(self._found) if found.open
        ]  # fmt: skip
        number = prompt_of(piece, message.scope, message.sender_id, waiting)
        if number is None:
            return False
        found = self._found[int(number)]
        found.pieces.append(piece)
        found.rest.append(heard.accepted)
        return True

    def close(self, scope: Scope) -> None:
        """Let nothing that comes from now on go into the commands of a place."""
        for found in self._found:
            found.open = found.open and found.heard.message.scope != scope

    def put_into(self, steps: list[Step], now: float) -> None:
        """Put what is to be done about each where it was found.

        Args:
            steps: What is to be done about everything else; changed.
            now: Unix seconds.
        """
        for found in reversed(self._found):
            steps.insert(found.place, self._step(found, now))

    def _step(self, found: _CutCommand, now: float) -> Step:
        heard, rest = found.heard, tuple(found.rest)
        until = held_until(found.pieces)
        # Never longer, also when the wall clock was set.
        if until is not None and now < until <= now + LONG_WAIT_S:
            return HeldBack((heard.accepted, *rest), until)
        received = replace(heard.message, text=joined_text(found.pieces))
        decision = self._route(received, heard.bound)
        return Decided(heard.accepted, received, decision, heard.bound, rest)
