"""From a schedule to the turn that it asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as with_changes

from msgspec.structs import replace

from takopi.bridge.asking import Asking
from takopi.bridge.records import Change, ScheduleGone, SchedulePut, TurnRecord
from takopi.bridge.routing import Router
from takopi.bridge.schedule_book import ScheduleBook
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.turn import Turn
from takopi.context import RunContext
from takopi.core.chat import MessageReceived, RepliedTo
from takopi.core.contexts import HeldContext
from takopi.core.decisions import BoundTurn, Prompt, Route
from takopi.core.route import route
from takopi.core.schedule_replies import schedule_note
from takopi.core.schedules import ScheduleRecord
from takopi.core.texts import tr

__all__ = ["ScheduleTurns", "TurnsPorts"]


@dataclass(frozen=True, slots=True)
class TurnsPorts:
    """Bind what the turns of schedules need.

    Args:
        book: The schedules.
        asking: Starts turns.
        router: Knows where they run.
        scheduler: Knows which are not over.
    """

    book: ScheduleBook
    asking: Asking
    router: Router
    scheduler: Scheduler


class ScheduleTurns:
    """Make the turns of schedules, bound to what held where the schedule was made.

    Args:
        ports: What they need.
    """

    def __init__(self, ports: TurnsPorts) -> None:
        self._ports = ports

    def bind(
        self, record: ScheduleRecord, reply: RepliedTo | None, bound: BoundTurn | None
    ) -> ScheduleRecord | Route:
        """Write down in a new schedule what holds where it is made.

        Args:
            record: The schedule, with its prompt.
            reply: The message that the command replied to.
            bound: The turn of that message.

        Returns:
            What the prompt is instead, when no engine could be asked.
        """
        table = self._ports.router.table(record.scope)
        decision = route(_message(record, reply), table, bound)
        if not isinstance(decision, Prompt):
            return decision
        held = table.here.context if bound is None else bound.context
        return replace(
            record,
            project=held.project,
            branch=held.branch,
            engine=decision.engine,
            session=decision.resume,
        )

    def draft(self, record: ScheduleRecord, person: int | None) -> TurnRecord | str:
        """Make the turn that a schedule asks for now; else say why there is none.

        Args:
            record: The schedule.
            person: Who asks: who made it, or who pressed a button.
        """
        table = self._ports.router.table(record.scope)
        if record.project is not None and record.project not in table.projects:
            return tr("project {project} is not known any more", project=record.project)
        if record.engine is not None and record.engine not in table.engines:
            return tr("engine {engine} is not known any more", engine=record.engine)
        context = RunContext(record.project, record.branch)
        engine = record.engine or table.engine_of(context)
        table = with_changes(table, here=HeldContext(context, "chat"), engine_here=engine)
        bound = None
        if record.session is not None:
            bound = BoundTurn(
                turn_id="",
                conversation="",
                engine=record.session.engine,
                session=record.session,
                context=context,
            )
        decision = route(_message(record, None), table, bound)
        if not isinstance(decision, Prompt):
            return tr("its first words mean something else now")
        asked = TurnRecord(
            turn_id="",
            scope=record.scope,
            engine=decision.engine,
            chat_kind=record.chat_kind,
            person=person,
            origin="schedule",
            after=record.message_id,
            note=schedule_note(record),
            schedule_id=record.schedule_id,
        )
        return self._ports.asking.draft(replace(decision, follows=None), asked)

    async def start(
        self, turn: TurnRecord, after: ScheduleRecord, changes: Sequence[Change] = ()
    ) -> None:
        """Let a turn begin, in one transaction with what becomes of its schedule.

        Args:
            turn: As `draft` made it.
            after: The schedule as it is then; one that asks once is gone.
            changes: What is written down with them.

        Raises:
            StoreError: The journal did not take it, so nothing happened.
        """
        put = ScheduleGone(after.schedule_id) if after.once else SchedulePut(after)
        await self._ports.asking.submit(turn, [put, *changes])
        if after.once:
            self._ports.book.forget(after.schedule_id)
        else:
            self._ports.book.note(after)

    def active(self, schedule_id: str) -> list[Turn]:
        """List the turns of a schedule that are not over."""
        turns = self._ports.scheduler.turns()
        return [turn for turn in turns if turn.record.schedule_id == schedule_id]


def _message(record: ScheduleRecord, reply: RepliedTo | None) -> MessageReceived:
    """Make the message that its person would have sent."""
    return MessageReceived(
        update_id=0,
        scope=record.scope,
        chat_kind=record.chat_kind,
        message_id=record.message_id,
        sender_id=record.person,
        text=record.prompt,
        reply=reply,
    )
