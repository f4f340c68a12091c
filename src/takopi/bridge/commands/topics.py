"""/topic: a topic for a project or a branch of it."""

from dataclasses import dataclass, field

import anyio
from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.commands.call import Buttonless, CommandCall
from takopi.bridge.letters import Destination
from takopi.bridge.records import Change, PlacePut
from takopi.bridge.topic_desk import TopicDesk, bound_place
from takopi.context import RunContext
from takopi.core.chat import ChatMessage, Scope
from takopi.core.replies import message
from takopi.core.topic_replies import (
    asked_reply,
    bound_reply,
    exists_reply,
    greeting_reply,
    made_reply,
    topic_reply,
    usage_reply,
)
from takopi.core.topics import read_topic, topic_name, why_no_topics

__all__ = ["TopicCommand"]


@dataclass(frozen=True, slots=True)
class TopicCommand(Buttonless):
    """Make topics, bind them, and lead to those that there are.

    Args:
        ports: What commands work with.
        topics: Makes and finds topics.
    """

    topics: TopicDesk
    names: tuple[str, ...] = ("topic",)
    # Two that ask for the same topic at once get one.
    _turnstile: anyio.Lock = field(default_factory=anyio.Lock)

    async def answer(self, call: CommandCall) -> None:
        """Bind the topic in which it was written; elsewhere begin with making or finding one."""
        ports, scope = self.ports, call.received.scope
        projects = ports.settings.projects
        why = why_no_topics(ports.settings.topics, scope.chat_id, projects)
        if why is not None:
            await ports.answers.give(call.destination, message(why), [call.handled])
            return
        here = ports.router.context_here(scope).context
        wanted = read_topic(call.command.args, projects.aliases, here)
        if not isinstance(wanted, RunContext):
            words = usage_reply(wanted or "", projects.aliases)
            if wanted is None and scope.thread_id is not None:
                place = ports.places.of(scope)
                bound = RunContext(place.project, place.branch)
                words = topic_reply(bound, projects.aliases)
            await ports.answers.give(call.destination, words, [call.handled])
            return
        known = self.topics.find(scope, wanted)
        if scope.thread_id is not None and known in (None, scope):
            await self._bind(call, wanted)
        else:
            ports.group.start_soon(self._lead, call, wanted)

    async def _bind(self, call: CommandCall, context: RunContext) -> None:
        """Bind the topic; its name follows when it says nothing, or was takopi's already."""
        ports, scope = self.ports, call.received.scope
        place, name = ports.places.of(scope), topic_name(context)
        named = bool(place.topic) or place.unnamed
        record = replace(
            place,
            project=context.project,
            branch=context.branch,
            topic=name if named else "",
            topic_auto=False,
            unnamed=False,
            gone=False,
        )
        changes: list[Change] = [PlacePut(record), call.handled]
        await ports.outbox.say(
            call.destination, bound_reply(context), notify=False, changes=changes
        )
        ports.places.note(record)
        if named and place.topic != name:
            self.topics.rename(scope, name)

    async def _lead(self, call: CommandCall, context: RunContext) -> None:
        """Lead to the topic of a context; it is made when there is none, or none any more."""
        told: ChatMessage | None = None
        with border("making a topic", chat=call.received.scope.chat_id) as found:
            async with self._turnstile:
                known = self.topics.find(call.received.scope, context)
                if known is not None and await self._is_there(known, call, context):
                    told = exists_reply(context, self.topics.link(known))
                else:
                    told = await self._make(call, context)
        with border("telling of a topic"):
            words = told or message(found.error or "")
            await self.ports.answers.give(call.destination, words, [call.handled])

    async def _is_there(self, topic: Scope, call: CommandCall, context: RunContext) -> bool:
        """Write into a topic: only that tells whether it is gone, and it brings it to the top."""
        destination = Destination(topic, call.received.chat_kind)
        delivery = await self.ports.outbox.say(destination, asked_reply(context), notify=False)
        await delivery.over.wait()
        return not self.ports.places.of(topic).gone

    async def _make(self, call: CommandCall, context: RunContext) -> ChatMessage:
        ports, scope = self.ports, call.received.scope
        name = topic_name(context)
        topic = await self.topics.make(replace(scope, thread_id=None), name)
        record = bound_place(topic, context, name)
        destination = Destination(topic, call.received.chat_kind)
        changes: list[Change] = [PlacePut(record), call.handled]
        await ports.outbox.say(destination, greeting_reply(context), notify=False, changes=changes)
        ports.places.note(record)
        return made_reply(context, self.topics.link(topic))
