"""Sessions that get a topic of their own: it is made before their first turn starts.

The turn is written down first, with the wish for a topic. A crash before the topic is written down
finds the turn waiting with its wish, and a topic is made for it then: the prompt is neither lost
nor asked twice, and at worst an empty topic is left.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.letters import Destination
from takopi.bridge.outbox import Outbox
from takopi.bridge.places import Places
from takopi.bridge.ports import Clock
from takopi.bridge.records import Change, PlacePut, TurnPut
from takopi.bridge.topic_desk import TopicDesk, bound_place
from takopi.bridge.turn import Turn
from takopi.core.chat import Scope
from takopi.core.topic_replies import began_reply, moved_reply, no_topic_note
from takopi.core.topics import name_of_prompt, name_of_title
from takopi.errors import TopicsUnavailable, TransportError

__all__ = ["TurnTopicPorts", "TurnTopics"]

_LET_REST_S = 600.0


@dataclass(frozen=True, slots=True)
class TurnTopicPorts:
    """Bind what the topics of sessions need.

    Args:
        desk: Makes and renames topics.
        outbox: Tells where a prompt went.
        places: Know what topics are for.
        clock: Tells the time.
    """

    desk: TopicDesk
    outbox: Outbox
    places: Places
    clock: Clock


class TurnTopics:
    """Give new sessions their topics.

    Args:
        ports: What they need.
    """

    def __init__(self, ports: TurnTopicPorts) -> None:
        self.desk = ports.desk
        self._ports = ports
        self._rests: dict[int, float] = {}
        self._told: set[int] = set()

    async def place(self, turn: Turn) -> None:
        """Make the topic of a turn that waits, and let it go on there; where it was without one."""
        name = name_of_prompt(turn.record.prompt)
        if turn.record.scope.thread_id is not None:
            await self._take(turn, name)
            return
        topic, note = await self._make(turn.record.scope, name)
        if turn.way.state != "queued" or turn.cancelled.is_set():
            return
        if topic is None:
            record = turn.record
            turn.record = replace(record, wants_topic=False, note=record.note or note)
            return
        with border("moving a turn to its topic", turn=turn.id):
            await self._move(turn, topic, name)

    async def _take(self, turn: Turn, name: str) -> None:
        """Let a session have the topic in which it begins, as nobody gave that a name."""
        ports, scope = self._ports, turn.record.scope
        turn.record = replace(turn.record, wants_topic=False)
        context = turn.record.context
        place = replace(
            ports.places.of(scope),
            project=context.project,
            branch=context.branch,
            topic=name,
            topic_auto=True,
            unnamed=False,
        )
        with border("naming a topic", turn=turn.id):
            async with turn.writing:
                await ports.places.put(place, [TurnPut(turn.record)])
            ports.desk.rename(scope, name)

    async def _make(self, scope: Scope, name: str) -> tuple[Scope | None, str]:
        """Return the topic, or that there is none and what the person is told of it, once."""
        chat, now = scope.chat_id, self._ports.clock.now()
        if now < self._rests.get(chat, now):
            return None, ""
        with border("making a topic", chat=chat) as found:
            try:
                return await self._ports.desk.make(scope, name), ""
            except TopicsUnavailable as error:
                # It is the person who can change that, and not within a minute.
                self._rests[chat] = now + _LET_REST_S
                told, why = chat in self._told, str(error)
                self._told.add(chat)
                return None, "" if told else no_topic_note(why)
            except TransportError as error:
                return None, no_topic_note(str(error))
        return None, no_topic_note(found.error or "")

    async def _move(self, turn: Turn, topic: Scope, name: str) -> None:
        ports, before = self._ports, turn.destination
        record = replace(turn.record, scope=topic, asked_in=before.scope, wants_topic=False)
        place = bound_place(topic, record.context, name, auto=True)
        # From now on its messages go there, also when the journal takes it only later.
        turn.record = record
        ports.places.note(place)
        pointer = moved_reply(name, ports.desk.link(topic))
        there, began = Destination(topic, before.kind), began_reply(record.prompt)
        async with turn.writing:
            changes: list[Change] = [TurnPut(turn.record), PlacePut(place)]
            await ports.outbox.say(there, began, notify=False, turn_id=turn.id, changes=changes)
        await ports.outbox.say(before, pointer, notify=False, turn_id=turn.id)

    async def entitled(self, turn: Turn, title: str | None) -> None:
        """Name a session's own topic by what its engine calls the session; that is done once."""
        ports, scope = self._ports, turn.record.scope
        place = ports.places.of(scope)
        name = name_of_title(title, turn.engine) if place.topic_auto else None
        if name is None:
            return
        with border("naming a topic", turn=turn.id):
            await ports.places.put(replace(place, topic=name, topic_auto=False))
            if name != place.topic:
                ports.desk.rename(scope, name)
