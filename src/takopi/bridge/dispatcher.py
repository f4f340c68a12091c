"""From an update to what it causes; every update is an island.

Access comes first: a stranger's update ends there, without a call, a handler or a record. What
goes wrong with one update is logged, told in one line, and stops nothing else.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from anyio.abc import TaskGroup

from takopi.bridge.border import border
from takopi.bridge.desk import CommandDesk
from takopi.bridge.letters import Place
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import EngineDirectory, Store, Transport
from takopi.bridge.records import MessageBound, TurnPut, TurnRecord
from takopi.bridge.scheduler import Scheduler
from takopi.core.access import AccessPolicy
from takopi.core.chat import ButtonPressed, ChatMessage, ChatUpdate, MessageReceived
from takopi.core.commands import command_names
from takopi.core.replies import (
    conflict_reply,
    engine_reply,
    hint_reply,
    message,
    unknown_reply,
)
from takopi.core.route import (
    BoundTurn,
    Command,
    EngineConflict,
    EngineExplained,
    NothingSaid,
    Prompt,
    ResumeCodec,
    Route,
    RouteTable,
    UnknownCommand,
    route,
)
from takopi.errors import ConfigError, PluginError, TransportError
from takopi.logging import get_logger
from takopi.model import EngineId
from takopi.transport import MessageRef

__all__ = ["Dispatcher", "DispatcherPorts"]

_log = get_logger(__name__)

# A service may hand out an update again; so many are remembered.
_REMEMBERED_UPDATES = 4096


@dataclass(frozen=True, slots=True)
class DispatcherPorts:
    """Bind what updates need.

    Args:
        transport: Answers presses.
        store: Remembers which message belongs to which turn.
        engines: Knows the engines.
        outbox: Sends.
        scheduler: Runs turns.
        desk: Answers commands.
    """

    transport: Transport
    store: Store
    engines: EngineDirectory
    outbox: Outbox
    scheduler: Scheduler
    desk: CommandDesk


class Dispatcher:
    """Handle updates one after the other; what takes time goes into tasks of its own.

    Args:
        ports: What updates need.
        access: Says who is served.
        default_engine: Runs what names no engine.
        new_id: Makes ids of turns.
        group: Slow answers run in it.
    """

    def __init__(
        self,
        ports: DispatcherPorts,
        access: AccessPolicy,
        default_engine: EngineId,
        new_id: Callable[[], str],
        group: TaskGroup,
    ) -> None:
        self._ports = ports
        self._access = access
        self._default_engine = default_engine
        self._new_id = new_id
        self._group = group
        self._seen: OrderedDict[tuple[int, int, int | str], None] = OrderedDict()
        self._codecs: dict[EngineId, ResumeCodec | None] = {}

    async def dispatch(self, update: ChatUpdate) -> None:
        """Handle one update; never raises but for a lost token or cancellation."""
        if not self._access.admits(update) or self._seen_before(update):
            return
        with border("handling a message", update=update.update_id) as found:
            if isinstance(update, ButtonPressed):
                self._pressed(update)
            elif isinstance(update, MessageReceived):
                await self._received(update)
        if found.error is not None and isinstance(update, MessageReceived):
            with border("telling of an error", update=update.update_id):
                await self._say(_place(update), message(found.error[:1000]))

    def load(self, engine: EngineId) -> None:
        """Load an engine now, so that the first message does not wait for that."""
        self._codec(engine)

    def _seen_before(self, update: ChatUpdate) -> bool:
        inner = update.press_id if isinstance(update, ButtonPressed) else update.message_id
        key = (update.update_id, update.scope.chat_id, inner)
        known = key in self._seen
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED_UPDATES:
            self._seen.popitem(last=False)
        return known

    def _pressed(self, pressed: ButtonPressed) -> None:
        words = self._ports.desk.press(pressed)
        self._group.start_soon(self._answer_press, pressed.press_id, words)

    async def _answer_press(self, press_id: str, words: str) -> None:
        with border("answering a press"):
            try:
                await self._ports.transport.answer_press(press_id, words)
            except TransportError as error:
                _log.info("press.not_answered", error=str(error))

    async def _received(self, received: MessageReceived) -> None:
        bound = await self._bound(received)
        decision = route(received, self._table(), bound)
        place = _place(received)
        if isinstance(decision, Prompt):
            await self._submit(received, place, decision)
        elif isinstance(decision, Command):
            await self._ports.desk.answer(received, place, decision, bound)
        else:
            answer = self._answer(decision)
            if answer is not None:
                await self._say(place, answer)

    async def _bound(self, received: MessageReceived) -> BoundTurn | None:
        if received.reply is None or received.forwarded:
            return None
        chat, replied = received.scope.chat_id, received.reply.message_id
        record = await self._ports.store.turn_of_message(chat, replied)
        if record is None:
            return None
        return BoundTurn(
            turn_id=record.turn_id,
            conversation=record.conversation or record.turn_id,
            engine=record.engine,
            session=record.session,
        )

    def _table(self) -> RouteTable:
        engines = tuple(self._ports.engines.ids())
        codecs = (self._codec(engine) for engine in engines)
        return RouteTable(
            default_engine=self._default_engine,
            engines=engines,
            commands=command_names(),
            codecs=tuple(codec for codec in codecs if codec is not None),
        )

    def _codec(self, engine: EngineId) -> ResumeCodec | None:
        """Load what reads an engine's resume lines; an engine that is broken reads none."""
        if engine not in self._codecs:
            codec: ResumeCodec | None = None
            with border("loading an engine", engine=engine):
                try:
                    codec = self._ports.engines.runner(engine)
                except (PluginError, ConfigError) as error:
                    _log.warning("engine.unusable", engine=engine, error=str(error))
            self._codecs[engine] = codec
        return self._codecs[engine]

    async def _submit(self, received: MessageReceived, place: Place, prompt: Prompt) -> None:
        turn_id = self._new_id()
        record = TurnRecord(
            turn_id=turn_id,
            scope=place.scope,
            engine=prompt.engine,
            conversation=prompt.follows.conversation if prompt.follows else turn_id,
            chat_kind=received.chat_kind,
            prompt=prompt.text,
            messages=(received.message_id,),
            person=received.sender_id,
            asked=prompt.resume,
        )
        bound = MessageBound(received.scope.chat_id, received.message_id, turn_id, "prompt")
        await self._ports.store.commit([TurnPut(record), bound])
        self._ports.scheduler.submit(record)

    def _answer(self, decision: Route) -> ChatMessage | None:
        if isinstance(decision, UnknownCommand):
            return unknown_reply(decision)
        if isinstance(decision, EngineConflict):
            return conflict_reply(decision)
        if isinstance(decision, EngineExplained):
            return engine_reply(decision.engine, self._default_engine)
        return hint_reply() if isinstance(decision, NothingSaid) else None

    async def _say(self, place: Place, answer: ChatMessage) -> None:
        await self._ports.outbox.say(place, answer, notify=False)


def _place(received: MessageReceived) -> Place:
    scope = received.scope
    prompt = MessageRef(
        scope.chat_id,
        received.message_id,
        thread_id=scope.thread_id,
        sender_id=received.sender_id,
    )
    return Place(scope, received.chat_kind, prompt)
