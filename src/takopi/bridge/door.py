"""Who is served at the moment: a group may go on under another id while takopi runs."""

from collections.abc import Callable

from takopi.bridge.records import TurnRecord
from takopi.core.access import AccessPolicy
from takopi.core.chat import ChatUpdate

__all__ = ["Door"]


class Door:
    """Hold the policy that holds now.

    Args:
        policy: As configured.
        on_moved: Told the old and the new id of a served group, so that the configuration follows.
    """

    def __init__(self, policy: AccessPolicy, on_moved: Callable[[int, int], None]) -> None:
        self._policy = policy
        self._on_moved = on_moved
        self._moved: list[tuple[int, int]] = []

    @property
    def policy(self) -> AccessPolicy:
        """Give the policy."""
        return self._policy

    def admits(self, update: ChatUpdate) -> bool:
        """Tell whether an update comes from somebody who is served, in a chat that is served."""
        return self._policy.admits(update)

    def knows(self, transport: str, turn: TurnRecord) -> bool:
        """Tell whether a turn was asked for in a chat of a service, by somebody, served now."""
        scope = turn.scope
        return scope.transport == transport and self._policy.serves(scope.chat_id, turn.person)

    def move(self, chat: int, new: int) -> None:
        """Serve a group under its new id; twice is once, and others' groups are left alone."""
        moved = self._policy.moved(chat, new)
        if moved != self._policy:
            self._policy = moved
            self._moved.append((chat, new))

    def follow(self) -> None:
        """Let the configuration follow the groups that moved, once the journal knows of it."""
        moved, self._moved = self._moved, []
        for chat, new in moved:
            self._on_moved(chat, new)
