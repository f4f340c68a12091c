"""The way of a turn, as one table.

Rules: `queued` is the only first state; every end goes through `delivering`, because every turn
owes the person exactly one final; the four ends have no way out; what the table does not name
raises and changes nothing. `done` needs a run that really ran: a turn that never started can fail,
be cancelled or be interrupted, but not be done.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

__all__ = [
    "ENDS",
    "FIRST",
    "OUTCOMES",
    "TRANSITIONS",
    "IllegalTransition",
    "TurnEnd",
    "TurnState",
    "TurnWay",
    "state_diagram",
]

TurnEnd: TypeAlias = Literal["done", "failed", "cancelled", "interrupted"]
TurnState: TypeAlias = Literal["queued", "starting", "running", "delivering"] | TurnEnd

FIRST: TurnState = "queued"
ENDS: frozenset[TurnState] = frozenset({"done", "failed", "cancelled", "interrupted"})

TRANSITIONS: Mapping[TurnState, frozenset[TurnState]] = MappingProxyType(
    {
        "queued": frozenset({"starting", "delivering"}),
        "starting": frozenset({"running", "delivering"}),
        "running": frozenset({"delivering"}),
        "delivering": ENDS,
        "done": frozenset(),
        "failed": frozenset(),
        "cancelled": frozenset(),
        "interrupted": frozenset(),
    }
)

# What a final may say, by the state in which the turn was when it was decided.
OUTCOMES: Mapping[TurnState, frozenset[TurnEnd]] = MappingProxyType(
    {
        "queued": frozenset({"failed", "cancelled", "interrupted"}),
        "starting": frozenset({"failed", "cancelled", "interrupted"}),
        "running": frozenset({"done", "failed", "cancelled", "interrupted"}),
    }
)


class IllegalTransition(RuntimeError):
    """Report a step that the table does not have; always a mistake of ours.

    Args:
        state: Where the turn is.
        wanted: Where somebody wanted it to be.
    """

    def __init__(self, state: str, wanted: str) -> None:
        self.state = state
        self.wanted = wanted
        super().__init__(f"a turn that is {state} cannot become {wanted}; please report this")


class TurnWay:
    """Walk one turn through the table.

    The outcome is decided when the final is (`conclude`), and taken when it was delivered
    (`delivered`); between the two nobody can decide another.

    Args:
        state: Where the turn is when it is taken up again.
        outcome: What its final says, when that was decided before.
    """

    __slots__ = ("_outcome", "_state")

    def __init__(self, state: TurnState = FIRST, outcome: TurnEnd | None = None) -> None:
        self._state = state
        self._outcome = outcome

    @property
    def state(self) -> TurnState:
        """Give the present state."""
        return self._state

    @property
    def outcome(self) -> TurnEnd | None:
        """Give what the final says; None until it is decided."""
        return self._outcome

    @property
    def concluded(self) -> bool:
        """Tell whether the final is decided."""
        return self._outcome is not None

    def start(self) -> None:
        """Note that the engine is being started.

        Raises:
            IllegalTransition: The turn does not wait any more.
        """
        self._go("starting")

    def run(self) -> None:
        """Note that the engine reported something.

        Raises:
            IllegalTransition: The turn is not starting.
        """
        self._go("running")

    def conclude(self, outcome: TurnEnd) -> None:
        """Decide the one final.

        Raises:
            IllegalTransition: It is decided already, or cannot be this one from here.
        """
        if outcome not in OUTCOMES.get(self._state, frozenset()):
            raise IllegalTransition(self._state, outcome)
        self._go("delivering")
        self._outcome = outcome

    def delivered(self) -> TurnEnd:
        """Note that the final is out, or can never be, and return the end.

        Raises:
            IllegalTransition: No final was decided, or it was delivered before.
        """
        outcome = self._outcome
        if outcome is None:
            raise IllegalTransition(self._state, "delivered")
        self._go(outcome)
        return outcome

    def _go(self, wanted: TurnState) -> None:
        if wanted not in TRANSITIONS[self._state]:
            raise IllegalTransition(self._state, wanted)
        self._state = wanted


def state_diagram() -> str:
    """Draw the table as a Mermaid state diagram, the one that the documentation shows."""
    lines = ["stateDiagram-v2", f"    [*] --> {FIRST}"]
    for state, following in TRANSITIONS.items():
        lines += [f"    {state} --> {target}" for target in TRANSITIONS if target in following]
    lines += [f"    {state} --> [*]" for state in TRANSITIONS if state in ENDS]
    return "\n".join(lines) + "\n"
