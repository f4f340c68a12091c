"""Who is served at the moment: a group may go on under another id while takopi runs."""

from collections.abc import Callable

from msgspec.structs import replace

from takopi.bridge.records import AcceptedUpdate, TurnRecord
from takopi.core.access import AccessPolicy
from takopi.core.chat import ChatUpdate
from takopi.core.former_chats import FormerChats

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
        self._former = FormerChats()

    @property
    def policy(self) -> AccessPolicy:
        """Give the policy."""
        return self._policy

    @property
    def former(self) -> FormerChats:
        """Give what is known of the ids that served groups had."""
        return self._former

    def admits(self, update: ChatUpdate) -> bool:
        """Tell whether an update comes from somebody who is served, in a chat that is served.

        What was said in a group before it moved may be handed out after that was known.
        """
        return self._policy.admits(self._former.here(update))

    def here(self, accepted: AcceptedUpdate) -> AcceptedUpdate:
        """Return an update as said where its chat is now."""
        return replace(accepted, update=self._former.here(accepted.update))

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
        # The configuration may have followed in an earlier life.
        if new in self._policy.chat_ids and chat < 0 and new < 0:
            self._former = self._former.with_move(chat, new)

    def follow(self) -> None:
        """Let the configuration follow the groups that moved, once the journal knows of it."""
        moved, self._moved = self._moved, []
        for chat, new in moved:
            self._on_moved(chat, new)
