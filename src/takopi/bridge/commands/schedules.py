"""/every, /at and /schedules: prompts that are asked at certain times."""

from dataclasses import dataclass

from msgspec.structs import replace

from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.letters import Destination
from takopi.bridge.records import Change, SchedulePut
from takopi.bridge.schedule_turns import ScheduleTurns, TurnsPorts
from takopi.core.chat import ChatMessage
from takopi.core.cron import NotUnderstood
from takopi.core.help_replies import takes_nothing
from takopi.core.replies import message, route_reply
from takopi.core.schedule_replies import (
    ALONE,
    crowded_reply,
    ended_reply,
    no_prompt_reply,
    one_schedule,
    schedule_list,
    when_usage_reply,
)
from takopi.core.schedule_times import Once, next_time, read_at, read_every
from takopi.core.schedules import ScheduleRecord, going_on
from takopi.core.texts import tr
from takopi.errors import StoreError, StoreFull
from takopi.transport import MessageRef

__all__ = ["MOST_SCHEDULES", "SchedulesCommand", "turns_of"]

MOST_SCHEDULES = 50
"""So many in a chat; more are a mistake or a script."""


@dataclass(frozen=True, slots=True)
class SchedulesCommand:
    """Make schedules, list them, and do what their buttons say.

    Args:
        ports: What commands work with.
    """

    ports: CommandPorts
    names: tuple[str, ...] = ("schedules", "every", "at")

    async def answer(self, call: CommandCall) -> None:
        """Make a schedule, or list those of the chat."""
        if call.command.name == "schedules":
            words = (
                takes_nothing(call.command.name)
                if call.command.args
                else self._list(call.received.scope.chat_id, 0)
            )
            await self.ports.answers.give(call.destination, words, call.marks)
            return
        made = self._made(call)
        if not isinstance(made, ScheduleRecord):
            await self.ports.answers.give(call.destination, made, call.marks)
            return
        clock, zone = self.ports.clock, self.ports.settings.zone
        words = one_schedule(made, clock.wall(), zone)
        try:
            # The schedule and the answer with its buttons are there together or not at all.
            changes: list[Change] = [SchedulePut(made), *call.marks]
            await self.ports.outbox.ask(call.destination, words, notify=False, changes=changes)
        except StoreError as error:
            words = message(tr("No schedule was made: {why}", why=str(error)))
            await self.ports.answers.give(call.destination, words, call.marks)
            return
        self.ports.schedules.note(made)

    async def press(self, call: PressCall) -> str:
        """Turn a page, or ask now, pause, resume or delete."""
        verb, name, on_page = (*call.args, "", "", "")[:3]
        if verb == "page":
            await self.ports.answers.mark([call.handled])
            await self._show(call, name)
            return ""
        record = self.ports.schedules.get(name)
        # Button data can be forged, chats are checked.
        if record is None or record.scope.chat_id != call.pressed.scope.chat_id:
            await self.ports.answers.mark([call.handled])
            if on_page == ALONE and record is None:
                await self._correct(call, ended_reply(None, tr("This schedule is gone")))
            return tr("This schedule is gone")
        try:
            words = await self._do(verb, record, call)
        except StoreFull as error:
            await self.ports.answers.mark([call.handled])
            return tr("Nothing changed: {why}", why=str(error)[:150])
        if on_page == ALONE:
            await self._show_one(call, record, words)
        elif on_page:
            await self._show(call, on_page)
        return words

    async def _do(self, verb: str, record: ScheduleRecord, call: PressCall) -> str:
        book, now = self.ports.schedules, self.ports.clock.wall()
        if verb == "delete":
            await book.remove(record.schedule_id, [call.handled])
            return tr("Deleted")
        if verb == "pause":
            await book.put(replace(record, paused=True, waiting=False), [call.handled])
            return tr("Paused")
        if verb == "resume":
            await book.put(going_on(record, now, self.ports.settings.zone), [call.handled])
            return tr("It goes on")
        if verb == "run":
            return await self._run_now(record, call)
        await self.ports.answers.mark([call.handled])
        return tr("This button does nothing any more")

    async def _run_now(self, record: ScheduleRecord, call: PressCall) -> str:
        turns = turns_of(self.ports)
        if turns.active(record.schedule_id):
            await self.ports.answers.mark([call.handled])
            return tr("Its last turn is still at work")
        turn = turns.draft(record, call.pressed.sender_id)
        if isinstance(turn, str):
            await self.ports.answers.mark([call.handled])
            return tr("Not asked, because {why}", why=turn)[:180]
        await turns.start(turn, record, [call.handled])
        return tr("Asked now")

    def _made(self, call: CommandCall) -> ScheduleRecord | ChatMessage:
        """Make the schedule that a command asks for, or the words that refuse it."""
        ports, received, command = self.ports, call.received, call.command
        now, zone = ports.clock.wall(), ports.settings.zone
        every = command.name == "every"
        read = read_every(command.args) if every else read_at(command.args, now, zone)
        if isinstance(read, NotUnderstood):
            return when_usage_reply(command.name, read.why)
        if not read.prompt:
            return no_prompt_reply(command.name)
        if len(ports.schedules.of_chat(received.scope.chat_id)) >= MOST_SCHEDULES:
            return crowded_reply(MOST_SCHEDULES)
        record = ScheduleRecord(
            schedule_id=ports.new_id()[:16],
            scope=received.scope,
            chat_kind=received.chat_kind,
            person=received.sender_id,
            when=read.when,
            prompt=read.prompt,
            next_at=read.moment
            if isinstance(read, Once)
            else next_time(read.timing, now, now, zone),
            made_at=now,
            message_id=received.message_id,
        )
        if record.next_at is None:
            return when_usage_reply(command.name, tr("that time never comes"))
        bound = turns_of(self.ports).bind(record, received.reply, call.bound)
        if isinstance(bound, ScheduleRecord):
            return bound
        answer = route_reply(bound, ports.default_engine)
        why = tr("only a prompt can be scheduled")
        return answer or when_usage_reply(command.name, why)

    def _list(self, chat_id: int, page: int) -> ChatMessage:
        records = self.ports.schedules.of_chat(chat_id)
        now, zone = self.ports.clock.wall(), self.ports.settings.zone
        return schedule_list(records, page, now, zone)

    async def _show(self, call: PressCall, page: str) -> None:
        """Let the list show how things are now."""
        number = int(page) if page.isdecimal() and len(page) < 4 else 0
        await self._correct(call, self._list(call.pressed.scope.chat_id, number))

    async def _show_one(self, call: PressCall, record: ScheduleRecord, done: str) -> None:
        """Let a message about one schedule show how that is now."""
        ports = self.ports
        known = ports.schedules.get(record.schedule_id)
        now, zone = ports.clock.wall(), ports.settings.zone
        shown = ended_reply(record, done) if known is None else one_schedule(known, now, zone)
        await self._correct(call, shown)

    async def _correct(self, call: PressCall, shown: ChatMessage) -> None:
        pressed = call.pressed
        ref = MessageRef(pressed.scope.chat_id, pressed.message_id)
        destination = Destination(pressed.scope, pressed.chat_kind)
        await self.ports.outbox.correct(destination, ref, shown)


def turns_of(ports: CommandPorts) -> ScheduleTurns:
    """Bind what makes the turns of schedules to what commands work with."""
    return ScheduleTurns(TurnsPorts(ports.schedules, ports.asking, ports.router, ports.scheduler))
