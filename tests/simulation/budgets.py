"""The service's side of the budgets, counted independently of the planner."""

from collections import defaultdict
from collections.abc import Mapping

from takopi.core.chat import ChatKind

__all__ = ["BudgetWatch"]

_SLACK_S = 1e-6


class BudgetWatch:
    """Count the calls of one life of the bot and note those beyond the budgets.

    Args:
        kinds: The kind of each chat.
        faults: What was found is added here.
    """

    def __init__(self, kinds: Mapping[int, ChatKind], faults: list[str]) -> None:
        self._kinds = kinds
        self._faults = faults
        self._calls: defaultdict[int, list[float]] = defaultdict(list)
        self._all: list[float] = []
        self._told: dict[int, float] = {}

    def called(self, verb: str, chat: int, now: float) -> None:
        """Count a call; taking back costs a chat nothing, presses and menus have no chat."""
        if chat == 0:
            return
        self._all = [at for at in self._all if at > now - 1 + _SLACK_S]
        self._all.append(now)
        if len(self._all) > 25:
            self._faults.append(f"{len(self._all)} calls in the second before {now:.2f}")
        if verb == "delete":
            return
        calls = self._calls[chat]
        calls.append(now)
        while calls[0] < now - 60 + _SLACK_S:
            calls.pop(0)
        if self._kinds[chat] == "group":
            if len(calls) > 18:
                self._faults.append(f"{len(calls)} calls to the group {chat} in a minute")
            return
        # A bucket of 3 that gets a drop a second: never more than 3 + span calls in any span.
        for back in range(4, min(len(calls), 12) + 1):
            span = now - calls[-back]
            if back > 3 + span + _SLACK_S + 0.001:
                self._faults.append(f"{back} calls to {chat} in {span:.2f} s")
                return

    def tell(self, chat: int, until: float) -> None:
        """Note that this life was told to be silent."""
        self._told[chat] = until

    def was_told(self, chat: int, until: float) -> bool:
        """Tell whether this life knew of a silence."""
        return self._told.get(chat) == until
