"""The bridge: a chat on one side, engines on the other, until somebody says stop.

Everything runs in one task group: the outbox's pump, the turns, the slow answers, and the loop
over the updates. A start goes on where the journal says that an earlier takopi was. `stop` ends in
order, within `stop_within_s`: no more updates, cancel the turns or leave them working, tell about
each, let the finals out; a second `stop` ends everything where it stands.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from msgspec import structs

from takopi.bridge.acceptance import Acceptance
from takopi.bridge.attachments import Arrivals, keep_places
from takopi.bridge.border import border
from takopi.bridge.chat_moves import ChatMoves, MovePorts
from takopi.bridge.dispatcher import Dispatcher, DispatcherOptions, DispatcherPorts
from takopi.bridge.door import Door
from takopi.bridge.letters import Destination
from takopi.bridge.menu import publish_menu
from takopi.bridge.options import BridgeOptions, BridgePorts
from takopi.bridge.outbox import Outbox
from takopi.bridge.own_state import own_state
from takopi.bridge.places import Places
from takopi.bridge.reactions import Reactions
from takopi.bridge.records import TurnRecord
from takopi.bridge.schedule_book import ScheduleBook
from takopi.bridge.schedule_clock import ClockPorts, ScheduleClock
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.spending import Spending, SpendingPorts
from takopi.bridge.topic_desk import TopicDesk, TopicPorts
from takopi.bridge.turn_journal import TurnJournal
from takopi.bridge.turn_messages import FinalOptions, TurnMessages
from takopi.bridge.turn_start import DriverPorts, TurnOptions
from takopi.bridge.turn_topics import TurnTopicPorts, TurnTopics
from takopi.bridge.waiting import plain_errors, wait_until
from takopi.bridge.workspaces import OneDirectory
from takopi.core.chat import ChatMigrated, ChatUpdate, Scope
from takopi.core.replies import message
from takopi.core.texts import tr_later, translated
from takopi.logging import get_logger

if TYPE_CHECKING:
    from takopi.bridge.turn import Turn

__all__ = ["Bridge", "BridgeOptions", "BridgePorts"]

_log = get_logger(__name__)

_STOP_REASON = tr_later("takopi is stopping")
_NOT_SERVED = tr_later("who asked, or this chat, is not served any more")
_ASKER_GONE = tr_later("the command that wanted the answer was interrupted")
_WARM_UP_AFTER_S = 0.05
_LONGEST_NOTE = 3500


class _Desk(NamedTuple):
    door: Door
    outbox: Outbox
    scheduler: Scheduler
    dispatcher: Dispatcher
    places: Places
    schedules: ScheduleBook
    moves: ChatMoves


class Bridge:
    """Serve one chat service.

    Args:
        ports: The world.
        options: The behaviour.
    """

    def __init__(self, ports: BridgePorts, options: BridgeOptions) -> None:
        self._ports = ports
        self._options = options
        self._stopping = anyio.Event()
        self._killed = anyio.Event()
        self._detaching = self._quiet = False
        self._told: list[str] = []
        self._told_more = anyio.Event()
        self._scheduler: Scheduler | None = None
        self._leaving: list[Turn] | None = None

    def stop(self, *, detach: bool = False, quiet: bool = False) -> None:
        """End in order; called again, end at once. Call it from the event loop's thread.

        Args:
            detach: Leave the engines working and what waits in the journal, for the next takopi;
                else every turn is cancelled and told.
            quiet: Say nothing of that in the chats, because the next one begins right away.
        """
        if self._stopping.is_set():
            self._killed.set()
        self._detaching, self._quiet = detach, quiet
        self._stopping.set()

    def tell_owner(self, words: str) -> None:
        """Say something about takopi itself in the owner's chat, once it serves."""
        self._told.append(words)
        self._told_more.set()

    def run_ids(self) -> tuple[str, ...]:
        """Name the runs that are followed, or that a stop has left working."""
        turns = self._leaving
        if turns is None:
            turns = [] if self._scheduler is None else self._scheduler.turns()
        found = (turn.record.run_id for turn in turns if not turn.way.concluded)
        return tuple(run_id for run_id in found if run_id is not None)

    async def run(self) -> None:
        """Serve until `stop`, or until the updates end and every turn is over.

        Raises:
            Unauthorized: The service does not know the bot any more.
        """
        with plain_errors():
            async with anyio.create_task_group() as group:
                group.start_soon(self._kill_when_asked, group.cancel_scope)
                await self._serve(group)
                group.cancel_scope.cancel()

    async def _serve(self, group: TaskGroup) -> None:
        desk = self._open(group)
        state = own_state(await self._ports.store.load(), self._ports.transport.id)
        desk.places.restore(state.places)
        desk.schedules.restore(state.schedules)
        deliveries = desk.outbox.restore(state)
        for chat, new in desk.moves.earlier():
            await desk.outbox.move(chat, new)
        group.start_soon(desk.outbox.run)
        if state.damage:
            await self._tell_owner(desk.outbox, state.damage)
        # What runs takes its lane before anything that waits, and both before what is new.
        here = map(desk.moves.turn_here, state.turns)
        turns = [self._as_allowed(desk.door, turn) for turn in here]
        if self._ports.files is not None:
            await keep_places(self._ports.files, turns)
        await desk.scheduler.recover(turns, deliveries)
        await desk.dispatcher.take(state.updates)
        group.start_soon(publish_menu, self._ports, self._options.default_engine)
        group.start_soon(self._say_what_is_told, desk.outbox)
        await self._until_stopping(partial(self._take_updates, desk))
        await self._until_stopping(desk.scheduler.wait_idle)
        desk.dispatcher.close()
        if self._detaching:
            await self._leave(desk)
        else:
            await self._wind_down(desk)

    def _as_allowed(self, door: Door, turn: TurnRecord) -> TurnRecord:
        """Let a turn end that nobody waits for, or who asked is not served any more."""
        if turn.silent and turn.state != "delivering":
            return structs.replace(turn, cancelled=True, cancel_reason=translated(_ASKER_GONE))
        by_person = turn.origin in ("prompt", "schedule") or turn.person is not None
        if not by_person or turn.state == "delivering":
            return turn
        if door.policy.serves(turn.scope.chat_id, turn.person):
            return turn
        return structs.replace(turn, cancelled=True, cancel_reason=translated(_NOT_SERVED))

    def _open(self, group: TaskGroup) -> _Desk:
        """Put the pieces together."""
        ports, options = self._ports, self._options
        door = Door(options.access, options.on_chat_moved)

        def moved(chat: int, new: int) -> None:
            moves.begin(chat, new)

        outbox = Outbox(ports.transport, ports.store, ports.clock, options.limits, moved)
        workspaces = ports.workspaces or OneDirectory(options.work_dir)
        places, schedules = Places(ports.store), ScheduleBook(ports.store)
        topics = self._topics(outbox, places, group)
        arrivals = None
        if ports.files is not None:
            arrivals = Arrivals(ports.transport, ports.files, ports.clock)
        driver_ports = DriverPorts(
            ports.engines,
            ports.host,
            workspaces,
            TurnJournal(ports.store),
            ports.clock,
            TurnMessages(outbox, ports.clock, self._finals(), self._reactions(group, door)),
            TurnOptions(new_run_id=options.new_run_id, limits=options.stall),
            arrivals,
            topics=topics,
            spending=self._spending(outbox, places),
        )
        scheduler = Scheduler(driver_ports, group, options.max_runs)
        known = ports.store, places, schedules, door
        moving = MovePorts(*known, ports.clock, group, scheduler.move, options.on_refused)
        moves = ChatMoves(moving, ports.transport.id)
        dispatcher = Dispatcher(
            DispatcherPorts(
                ports.transport,
                ports.store,
                ports.engines,
                outbox,
                scheduler,
                ports.clock,
                places,
                workspaces,
                schedules,
                arrivals,
                ports.transcriber,
                ports.plugins,
                host=ports.host,
                topics=topics.desk,
            ),
            self._dispatching(door),
            group,
        )
        self._scheduler = scheduler
        return _Desk(door, outbox, scheduler, dispatcher, places, schedules, moves)

    def _finals(self) -> FinalOptions:
        options = self._options
        return FinalOptions(
            notify=options.final_notify,
            overflow=options.message_overflow,
            show_resume_line=options.show_resume_line,
            budget=options.chats.budget,
        )

    def _dispatching(self, door: Door) -> DispatcherOptions:
        options = self._options
        return DispatcherOptions(
            access=door,
            default_engine=options.default_engine,
            new_id=options.new_id,
            version=options.version,
            backlog=options.backlog,
            decide=options.decide,
            chats=options.chats,
            serving_since=options.serving_since,
        )

    def _topics(self, outbox: Outbox, places: Places, group: TaskGroup) -> TurnTopics:
        ports = self._ports
        desk = TopicDesk(TopicPorts(ports.transport, outbox.beside, places, ports.clock, group))
        outbox.on_thread_lost = desk.lost
        return TurnTopics(TurnTopicPorts(desk, outbox, places, ports.clock))

    def _reactions(self, group: TaskGroup, door: Door) -> Reactions | None:
        ports = self._ports
        if not self._options.reactions:
            return None
        reactions = Reactions(ports.transport, ports.clock, group)
        group.start_soon(reactions.take_up, ports.store, partial(door.knows, ports.transport.id))
        return reactions

    def _spending(self, outbox: Outbox, places: Places) -> Spending:
        ports, options = self._ports, self._options
        spending_ports = SpendingPorts(
            ports.store, outbox, places, ports.clock, options.new_id, ports.transport.id
        )
        return Spending(spending_ports, options.chats.budget, options.chats.zone)

    def _schedule_clock(self, desk: _Desk) -> ScheduleClock:
        ports = ClockPorts(
            desk.schedules,
            desk.dispatcher.schedule_turns,
            desk.outbox,
            self._ports.clock,
            desk.door,
            self._options.chats.zone,
        )
        return ScheduleClock(ports)

    async def _tell_owner(self, outbox: Outbox, words: str) -> None:
        with border("telling of a damaged journal"):
            await outbox.say(self._owners_destination(), message(words[:_LONGEST_NOTE]))
            await self._ports.store.damage_told()

    def _owners_destination(self) -> Destination:
        chat = self._options.access.owner_chat_id
        return Destination(
            Scope(self._ports.transport.id, chat), "private" if chat > 0 else "group"
        )

    async def _say_what_is_told(self, outbox: Outbox) -> None:
        while True:
            await self._told_more.wait()
            self._told_more = anyio.Event()
            told, self._told = self._told, []
            for words in told:
                with border("telling the owner"):
                    await outbox.say(self._owners_destination(), message(words[:_LONGEST_NOTE]))

    async def _until_stopping(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something until it is done or somebody says stop."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._leave_when_stopping, group.cancel_scope)
            await work()
            group.cancel_scope.cancel()

    async def _take_updates(self, desk: _Desk) -> None:
        ports = self._ports
        acceptance = Acceptance(ports.store, ports.clock, desk.outbox, self._options.on_refused)
        async with anyio.create_task_group() as group:
            group.start_soon(self._warm_up, desk.dispatcher)
            group.start_soon(self._schedule_clock(desk).run)
            updates = ports.transport.updates()
            self._options.on_listening()
            async for batch in updates:
                await self._accept(desk, acceptance, batch)
            group.cancel_scope.cancel()

    async def _accept(
        self, desk: _Desk, acceptance: Acceptance, batch: Sequence[ChatUpdate]
    ) -> None:
        """Take one answer of the service; what came before a group moved is handled before that."""
        newest = self._ports.transport.newest_update
        pieces: list[list[ChatUpdate]] = [[]]
        for update in batch:
            if isinstance(update, ChatMigrated) and desk.door.admits(update) and pieces[-1]:
                pieces.append([])
            pieces[-1].append(update)
        for piece in pieces:
            moved = piece[0] if piece else None
            if isinstance(moved, ChatMigrated) and desk.door.admits(moved):
                # Its update counts as taken only once the journal knows the group's new id.
                await desk.moves.begin(moved.scope.chat_id, moved.new_chat_id).wait()
                await desk.outbox.move(moved.scope.chat_id, moved.new_chat_id)
            last = newest if piece is pieces[-1] else None
            await desk.dispatcher.take(await acceptance.take(desk.door, piece, last))

    async def _warm_up(self, dispatcher: Dispatcher) -> None:
        # The first poll goes out before: being there comes before being quick.
        clock = self._ports.clock
        await clock.sleep_until(clock.now() + _WARM_UP_AFTER_S)
        for engine in self._ports.engines.ids():
            await checkpoint()
            dispatcher.load(engine)

    async def _leave(self, desk: _Desk) -> None:
        """Leave the engines to the next takopi, and let out what was said."""
        clock, within_s = self._ports.clock, self._options.stop_within_s
        deadline = clock.now() + within_s
        # The scheduler forgets them one by one, and a second signal may want them ended after all.
        self._leaving = [turn for turn in desk.scheduler.turns() if turn.started_at is not None]
        goodbye_s = 0.0 if self._quiet else within_s * 0.3
        await desk.scheduler.detach(clock.now() + goodbye_s)
        if not await wait_until(desk.scheduler.wait_idle, clock, deadline - within_s * 0.3):
            desk.scheduler.drop_stubborn()
            await wait_until(desk.scheduler.wait_idle, clock, deadline)
        await self._let_out(desk.outbox, deadline)

    async def _wind_down(self, desk: _Desk) -> None:
        """Cancel what runs or waits, tell about it, and let out what was said."""
        clock, within_s = self._ports.clock, self._options.stop_within_s
        scheduler, deadline = desk.scheduler, clock.now() + within_s
        turns = scheduler.turns()
        # The waiting ones first: else the end of a running one would start the next.
        for turn in sorted(turns, key=lambda turn: turn.started_at is not None):
            scheduler.cancel(turn.id, translated(_STOP_REASON))
        if not await wait_until(scheduler.wait_idle, clock, deadline - within_s * 0.4):
            scheduler.drop_stubborn()
            await wait_until(scheduler.wait_idle, clock, deadline)
        await self._let_out(desk.outbox, deadline)

    async def _let_out(self, outbox: Outbox, deadline: float) -> None:
        if not await outbox.drain(deadline):
            # It stands in the journal, and goes out after the next start.
            _log.warning("stop.not_all_sent")

    async def _leave_when_stopping(self, scope: anyio.CancelScope) -> None:
        await self._stopping.wait()
        scope.cancel()

    async def _kill_when_asked(self, scope: anyio.CancelScope) -> None:
        await self._killed.wait()
        scope.cancel()
