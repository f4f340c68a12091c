"""The messages of a turn: the one that lives, and the final that takes its place."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import anyio
from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.ending import Ending
from takopi.bridge.letters import Delivery, FinalPost
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import Clock
from takopi.bridge.reactions import Reactions
from takopi.bridge.records import Change, OfferPut, TurnPut
from takopi.bridge.turn import Turn
from takopi.core.budget import NO_BUDGET, Budget, per_turn_note
from takopi.core.chat import ChatMessage, Document
from takopi.core.contexts import format_context
from takopi.core.durations import format_about
from takopi.core.final_view import FinalDelivery, FinalView, render_final
from takopi.core.progress import in_brief
from takopi.core.progress_view import ProgressHeader, render_progress
from takopi.core.replies import cancel_data, message
from takopi.core.richtext import RichText
from takopi.core.texts import tr, tr_later, tr_n, translated
from takopi.core.turn_lists import queued_message
from takopi.core.turn_queue import QueuePlace
from takopi.core.turn_state import TurnEnd
from takopi.core.usage import read_usage
from takopi.transport import MessageRef

__all__ = [
    "FinalOptions",
    "Surroundings",
    "TurnMessages",
    "background_note",
    "state_label",
]
# Longer answers are laid out in a thread: other chats must not wait for that.
_LAID_OUT_AT_ONCE = 20_000

_LOOKS_EVERY_S = 0.1

_GOES_ON = tr_later(
    "takopi is away; the run goes on without it, and the answer comes when takopi is back"
)

_STATUS: dict[TurnEnd, Literal["done", "error", "cancelled", "interrupted"]] = {
    "done": "done",
    "failed": "error",
    "cancelled": "cancelled",
    "interrupted": "interrupted",
}
_PLAINLY = {
    "done": tr_later("done"),
    "error": tr_later("error"),
    "cancelled": tr_later("cancelled"),
    "interrupted": tr_later("interrupted"),
}


@dataclass(frozen=True, slots=True)
class FinalOptions:
    """Say how finals look.

    Args:
        notify: A final is a new message that makes a sound; else it takes the progress message's
            place when it fits into it.
        overflow: What happens to an answer that does not fit into one message.
        show_resume_line: Whether the line that resumes the session is a part of it.
        budget: What a turn may cost.
    """

    notify: bool = True
    overflow: Literal["split", "trim", "file"] = "split"
    show_resume_line: bool = True
    budget: Budget = NO_BUDGET


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Tell what stands around a turn, each time it is shown.

    Args:
        place: Why it waits.
        beside: The turn that worked in its directory before it came, and still does.
    """

    place: Callable[[], QueuePlace | None]
    beside: Callable[[], Turn | None]


_ALONE = Surroundings(lambda: None, lambda: None)


class TurnMessages:
    """Show turns in their chats.

    Args:
        outbox: Sends.
        clock: Tells the time.
        options: How finals look.
        reactions: Acknowledge prompts; None where that is not wanted.
    """

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        options: FinalOptions,
        reactions: Reactions | None = None,
    ) -> None:
        self._outbox = outbox
        self._reactions = reactions
        self._clock = clock
        self._options = options
        self._order: defaultdict[int, anyio.Lock] = defaultdict(anyio.Lock)

    def open(self, turn: Turn, around: Surroundings) -> None:
        """Show a turn, at once; in the message that an earlier takopi showed it in, if any did.

        Args:
            turn: The turn; it may have started or wait.
            around: What stands around it.
        """
        if turn.record.silent:
            return
        destination, number = turn.destination, turn.record.progress_id
        ref = None if number is None else MessageRef(destination.scope.chat_id, number)
        turn.live = self._outbox.live(
            destination, lambda at: self._compose(turn, at, around), turn.id, ref
        )
        self._outbox.beat(turn.live, beating=turn.started_at is not None)
        # What an earlier takopi showed was seen already, and what is concluded soon says more.
        if self._reactions is not None and number is None and not turn.way.concluded:
            self._reactions.seen(turn.record)

    def started(self, turn: Turn) -> None:
        """Show that a turn does not wait any more; its age counts from here."""
        if turn.live is not None:
            self._outbox.beat(turn.live, beating=True)
            self._outbox.touch(turn.live)

    def touch(self, turn: Turn) -> None:
        """Show what changed, as soon as the budgets allow."""
        if turn.live is not None:
            self._outbox.touch(turn.live)

    async def say_goodbye(self, turns: Sequence[Turn], deadline: float) -> None:
        """Show turns once more, as well as that goes until a moment, then leave their messages."""
        clock = self._clock
        for turn in turns if clock.now() < deadline else ():
            self.touch(turn)
        while clock.now() < deadline and any(not self._shown(turn) for turn in turns):
            await clock.sleep_until(min(deadline, clock.now() + _LOOKS_EVERY_S))
        for turn in turns:
            if turn.live is not None and not turn.way.concluded:
                self._outbox.close(turn.live)

    def _shown(self, turn: Turn) -> bool:
        """Tell whether the chat shows a turn as it is, or need not any more."""
        if turn.live is None or turn.way.concluded:
            return True
        return turn.live.next_look(self._clock.now(), beat=False) is None

    async def conclude(self, turn: Turn, ending: Ending) -> None:
        """Post the one final of a turn in place of its progress message.

        Raises:
            IllegalTransition: The turn has its final already.
        """
        turn.conclude(ending.outcome, self._clock, ending.usage)
        if turn.record.silent:
            _take_silently(turn, ending)
            return
        # Finals of one chat go out in the order in which their turns ended, long ones too.
        async with self._order[turn.destination.scope.chat_id]:
            if len(ending.answer) < _LAID_OUT_AT_ONCE:
                rendered = self._render(turn, ending)
            else:
                rendered = await anyio.to_thread.run_sync(self._render, turn, ending)
            await self._post(turn, ending, rendered)

    async def _post(self, turn: Turn, ending: Ending, rendered: FinalDelivery) -> None:
        parts: list[ChatMessage | Document] = list(rendered.messages)
        if rendered.document is not None:
            parts.append(rendered.document)
        notify = self._options.notify and not ending.quiet
        as_edit = not notify and len(parts) == 1 and rendered.document is None
        if turn.live is None and turn.record.progress_id is not None:
            self.open(turn, _ALONE)  # an earlier takopi showed it; the final takes that place
        post = FinalPost(turn.destination, tuple(parts), turn.id, notify=notify, as_edit=as_edit)
        async with turn.writing:
            changes: list[Change] = [TurnPut(turn.record)]
            if ending.offer is not None:
                changes.append(OfferPut(replace(ending.offer, shown=rendered.messages[-1])))
            turn.final = await self._outbox.final(post, instead=turn.live, changes=changes)

    async def finish(self, turn: Turn, ending: Ending, ended_background: tuple[str, ...]) -> None:
        """Wait until the final is out, and add what was ended behind it."""
        assert turn.final is not None, "a turn ends after its final was posted"
        await turn.final.over.wait()
        if ended_background and not turn.record.silent:
            with border("adding what was ended", turn=turn.id):
                await self._add_background(turn, ending, background_note(ended_background))

    def over(self, turn: Turn) -> None:
        """Say at the prompt of a turn that its final is there."""
        if self._reactions is not None:
            self._reactions.over(turn.record)

    def owe_end(self, turn: Turn) -> None:
        """Let the end of a turn be written down with what the journal did not take of its final."""
        self._outbox.owe(TurnPut(turn.record))

    async def _add_background(self, turn: Turn, ending: Ending, note: str) -> None:
        refs = turn.final.refs if turn.final else []
        before, after = self._render(turn, ending), self._render(turn, ending, note)
        same_shape = len(before.messages) == len(after.messages) == len(refs)
        if not same_shape or None in refs:
            await self._outbox.say(turn.destination, message(note), notify=False, turn_id=turn.id)
            return
        for old, new, ref in zip(before.messages, after.messages, refs, strict=True):
            if old != new and ref is not None:
                await self._outbox.correct(turn.destination, ref, new)

    def _compose(self, turn: Turn, at: float, around: Surroundings) -> ChatMessage:
        with border("showing a turn", turn=turn.id):
            if turn.started_at is None:
                return _waiting(turn, around.place())
            beside = around.beside()
            where = format_context(turn.record.context).removeprefix("ctx: ")
            header = ProgressHeader(
                state_label(turn),
                turn.engine,
                turn.elapsed_s(at),
                context=where,
                beside="" if beside is None else _beside(beside, at),
            )
            notes = (
                turn.stalled,
                turn.record.note,
                translated(_GOES_ON) if turn.left.is_set() else "",
            )
            quiet = turn.record.verbosity == "quiet"
            return render_progress(
                in_brief(turn.progress) if quiet else turn.progress,
                header,
                cwd=turn.cwd,
                cancel_data=cancel_data(turn.id),
                notes=[note for note in notes if note],
            )
        return message(f"{state_label(turn)} · {turn.engine}")

    def _render(self, turn: Turn, ending: Ending, *more_notes: str) -> FinalDelivery:
        status = _STATUS[ending.outcome]
        known = ending.outcome != "interrupted"
        with border("writing the final", turn=turn.id):
            dear = per_turn_note(read_usage(ending.usage).cost_usd, self._options.budget)
            view = FinalView(
                status=status,
                engine=turn.engine,
                elapsed_s=turn.elapsed_s(turn.ended_at or 0.0) if known else None,
                steps=turn.progress.steps,
                answer=ending.answer,
                error=ending.reason or None,
                context_line=format_context(turn.record.context),
                resume_line=ending.resume_line if self._options.show_resume_line else None,
                notes=tuple(note for note in (turn.record.note, dear, *more_notes) if note),
                usage=ending.usage,
                buttons=ending.buttons,
                log=turn.log,
                cwd=turn.cwd,
            )
            delivery = render_final(view, self._options.overflow)
            if delivery.messages or delivery.document:
                return delivery
        return _bare(turn, ending, status)


def _take_silently(turn: Turn, ending: Ending) -> None:
    """Give the end of a turn to whoever asked for it, and nothing to the chat."""
    turn.ending = ending
    turn.final = Delivery([])
    turn.final.over.set()


def background_note(ended: tuple[str, ...]) -> str:
    """Name the processes that outlived a normal end and were ended."""
    return tr_n(
        "ended {count} background process: {names}",
        "ended {count} background processes: {names}",
        len(ended),
        names=", ".join(ended),
    )


def state_label(turn: Turn) -> str:
    """Say in a word what goes on; a turn whose answer is on its way is still at work."""
    if turn.cancelled.is_set():
        return tr("cancelling")
    return tr("starting") if turn.way.state in ("queued", "starting") else tr("working")


def _beside(other: Turn, at: float) -> str:
    since = format_about(other.elapsed_s(at))
    return tr(
        "another turn works in this directory: {engine}, {since}", engine=other.engine, since=since
    )


def _waiting(turn: Turn, place: QueuePlace | None) -> ChatMessage:
    queued = queued_message(turn.engine, place, turn.id)
    if not turn.left.is_set():
        return queued
    words = tr("takopi is away; this starts when takopi is back")
    body = RichText(f"{queued.body.text}\n\n{words}", queued.body.entities)
    return ChatMessage(body, queued.buttons)


def _bare(turn: Turn, ending: Ending, status: str) -> FinalDelivery:
    """Deliver an answer that could not be written nicely: whole, as a file."""
    head = f"{translated(_PLAINLY[status])} · {turn.engine}"
    lines = [head, ending.reason, ending.resume_line or ""]
    words = "\n".join(line for line in lines if line)[:4000]
    text = message(words, buttons=ending.buttons)
    answer = ending.answer.encode("utf-8", "replace")
    return FinalDelivery((text,), Document("answer.md", answer) if answer else None)
