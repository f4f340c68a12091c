"""Topics: made, named, bound, closed, deleted, and what is known of them.

A topic is made before anything of it can be written down, so a crash between the two, or an answer
that never came, leaves a topic that nobody knows. It is empty, and deleting it costs nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from anyio.abc import TaskGroup
from msgspec.structs import replace

from takopi.bridge.beside import CallsBeside
from takopi.bridge.border import border
from takopi.bridge.places import Places
from takopi.bridge.ports import Clock, Transport
from takopi.bridge.records import AcceptedUpdate, UpdateHandled
from takopi.context import RunContext
from takopi.core.chat import MessageReceived, Scope, TopicChanged
from takopi.core.places import PlaceRecord
from takopi.core.preferences import chat_key, scope_key
from takopi.core.topics import after_change
from takopi.errors import FloodLimited, ThreadClosed, ThreadLost, TransportUnavailable

__all__ = ["TopicDesk", "TopicPorts", "bound_place"]

PATIENCE_S = 20.0
"""How long somebody who waits for a topic waits for a service that fails or wants silence."""

_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class TopicPorts:
    """Bind what topics need.

    Args:
        transport: Makes and renames them.
        beside: Counts such calls with the messages of their chats.
        places: Know what they are bound to.
        clock: Tells the time.
        group: What takes time runs in it.
    """

    transport: Transport
    beside: CallsBeside
    places: Places
    clock: Clock
    group: TaskGroup


class TopicDesk:
    """Know topics.

    Args:
        ports: What topics need.
    """

    def __init__(self, ports: TopicPorts) -> None:
        self._ports = ports

    def find(self, scope: Scope, context: RunContext) -> Scope | None:
        """Find the topic of a chat that is bound to a project and branch."""
        begin = chat_key(scope) + ":"
        for place in self._ports.places.all():
            thread = place.key.removeprefix(begin)
            bound = (place.project, place.branch) == (context.project, context.branch)
            if bound and not place.gone and place.key != thread and thread.isdigit():
                return replace(scope, thread_id=int(thread))
        return None

    def link(self, scope: Scope) -> str | None:
        """Return the address of a topic; None where topics have none."""
        return self._ports.transport.topic_link(scope)

    async def make(self, scope: Scope, name: str) -> Scope:
        """Make a topic in the chat of a place; waits a while for a service that fails.

        Raises:
            TransportError: No topic was made; after an unclear answer there may be one.
        """
        clock = self._ports.clock
        until = clock.now() + PATIENCE_S
        create = partial(self._ports.transport.create_topic, scope, name)
        while True:
            try:
                thread = await self._ports.beside.make(scope, create, until)
                return replace(scope, thread_id=thread)
            except FloodLimited as error:
                pause_s = error.retry_after_s
                if clock.now() + pause_s > until:
                    raise
            except TransportUnavailable as error:
                # Asking again when it may be there would make two.
                pause_s = _PAUSE_S
                if error.maybe_accepted or clock.now() + pause_s > until:
                    raise
            await clock.sleep_until(clock.now() + pause_s)

    def rename(self, scope: Scope, name: str) -> None:
        """Give a topic a name when that goes; nothing rests on it."""
        self._ports.group.start_soon(self._rename, scope, name)

    async def _rename(self, scope: Scope, name: str) -> None:
        with border("renaming a topic", chat=scope.chat_id):
            try:
                rename = partial(self._ports.transport.rename_topic, scope, name)
                until = self._ports.clock.now() + PATIENCE_S
                await self._ports.beside.make(scope, rename, until)
            except ThreadLost as error:
                self.lost(scope, error)

    # What the service says about topics.

    def lost(self, scope: Scope, error: ThreadLost) -> None:
        """Note that a topic is gone, at once; a closed one is there still."""
        place = self._ports.places.of(scope)
        if scope.thread_id is None or place.gone or isinstance(error, ThreadClosed):
            return
        self._ports.places.note(replace(place, gone=True))
        self._ports.group.start_soon(self._write_down, scope)

    async def changed(self, change: TopicChanged, handled: UpdateHandled) -> None:
        """Note what somebody did to a topic.

        Raises:
            StoreError: The journal did not take it, so nothing changed.
        """
        place = self._ports.places.of(change.scope)
        await self._ports.places.put(after_change(place, change), [handled])

    async def heard(self, updates: Iterable[AcceptedUpdate]) -> None:
        """Note that topics are there in which somebody writes, whatever was taken for gone."""
        for accepted in updates:
            scope = accepted.update.scope
            if not isinstance(accepted.update, MessageReceived) or scope.thread_id is None:
                continue
            place = self._ports.places.of(scope)
            if place.gone:
                self._ports.places.note(replace(place, gone=False))
                await self._write_down(scope)

    async def _write_down(self, scope: Scope) -> None:
        with border("writing a topic down", chat=scope.chat_id):
            # As it is by now: a command may have bound it meanwhile.
            await self._ports.places.put(self._ports.places.of(scope))


def bound_place(scope: Scope, context: RunContext, name: str, *, auto: bool = False) -> PlaceRecord:
    """Say what is known of a topic that was just made.

    Args:
        scope: The topic.
        context: Its project and branch.
        name: What it is called.
        auto: Whether it was made for one session.
    """
    return PlaceRecord(
        key=scope_key(scope),
        project=context.project,
        branch=context.branch,
        topic=name,
        topic_auto=auto,
    )
