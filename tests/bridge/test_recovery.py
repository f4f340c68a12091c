"""What becomes of turns when takopi was away."""

from collections.abc import Callable, Sequence

import pytest

from bridge.turn_stage import Stage, leave_running, living
from fakes.clock import settle
from takopi.bridge.records import Change, TurnPut
from takopi.errors import StoreError, TransportUnavailable
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio


async def test_a_run_that_was_left_is_followed_to_its_final() -> None:
    """The same progress message goes on, the age counts from the start, the answer is delivered."""
    stage = Stage()
    turn_id = await leave_running(stage)
    assert len(stage.chat.texts()) == 1
    await stage.clock.advance(600)
    async with living(stage):
        edits = len(stage.chat.calls)
        await stage.clock.advance(11)
        assert len(stage.chat.texts()) == 1
        assert stage.chat.has("working · codex · 11m 1")
        # What is on the screen is never replaced by less.
        assert all("make" in call.text for call in stage.chat.calls[edits:])
        assert stage.chat.has("make")
        stage.processes.last.answer()
        await settle()
        (final,) = stage.chat.texts()
        assert final.startswith("✓ done · codex · 11m 11s · 1 step\n\nanswer to hello")
        assert "codex resume s1" in final
        assert (await stage.state(turn_id)).state == "done"
    assert len(stage.processes.all()) == 1


async def test_a_run_that_ended_meanwhile_is_delivered() -> None:
    """Its answer waits in its run directory."""
    stage = Stage()
    await leave_running(stage)
    stage.processes.last.answer("while you slept")
    async with living(stage):
        assert stage.finals()
        assert stage.chat.has("while you slept")
    assert len(stage.processes.all()) == 1


async def test_the_session_goes_on_where_it_was() -> None:
    """What waits behind a run that was left starts when that ends, in its session."""
    stage = Stage()
    async with living(stage):
        first = await stage.submit("one")
        await stage.submit("two", conversation=first)
    async with living(stage):
        assert len(stage.processes.all()) == 1
        assert stage.chat.has("queued · codex · 1 before it in this session")
        stage.processes.last.started()
        stage.processes.last.answer()
        await settle()
        assert stage.processes.last.request.resume == ResumeToken("codex", "s1")
        stage.processes.last.answer()
        await stage.clock.advance(5)
        assert len(stage.finals()) == 2
        assert len(stage.chat.texts()) == 2


async def test_queued_turns_queue_again_in_their_order_and_messages() -> None:
    """Each goes on with the message it had."""
    stage = Stage(max_runs=1)
    async with living(stage):
        for number in range(4):
            await stage.submit(f"p{number}")
        await stage.clock.advance(10)
    shown = [number for _, number in sorted(stage.chat.shown)]
    async with living(stage):
        await stage.clock.advance(10)
        assert [number for _, number in sorted(stage.chat.shown)] == shown
        for number in range(4):
            assert stage.processes.last.request.prompt == f"p{number}"
            stage.processes.last.answer()
            await stage.clock.advance(4)
        assert len(stage.finals()) == 4


async def test_a_reply_finds_the_session_of_a_conversation_that_is_over() -> None:
    """Also when the only turn that knew it ended before the crash."""
    stage = Stage(max_runs=1)
    async with living(stage):
        first = await stage.submit("one")
        stage.processes.last.started()
        await stage.submit("another")
        await stage.submit("more", conversation=first)
        stage.processes.last.answer()
        await stage.clock.advance(5)
    async with living(stage):
        stage.processes.last.answer()
        await settle()
        assert stage.processes.last.request.prompt == "more"
        assert stage.processes.last.request.resume == ResumeToken("codex", "s1")


@pytest.mark.parametrize("messages", [(), (77,)])
async def test_a_reply_to_a_conversation_without_a_session_opens_it_and_says_so(
    messages: tuple[int, ...],
) -> None:
    """As it would have without the crash."""
    stage = Stage(max_runs=1)
    async with living(stage):
        first = await stage.submit("one")
        await stage.submit("another")
        await stage.journal.commit(
            [TurnPut(stage.record("more", conversation=first, messages=messages))]
        )
        stage.processes.last.answer(sessionless=True)
        await stage.clock.advance(5)
    async with living(stage):
        stage.processes.last.answer()
        await stage.clock.advance(5)
        assert stage.processes.last.request.resume is None
        assert stage.chat.has("the turn before it reported no session")
        stage.processes.last.answer()
        await settle()
        assert "the turn before it reported no session" in stage.finals()[-1]


async def test_a_cancel_survives_the_crash() -> None:
    """The wish is carried out by the next takopi, with the reason that was given."""
    stage = Stage()
    async with living(stage):
        turn_id = await stage.submit("hello")
        process = stage.processes.last
        process.started()
        process.deaf = True
        await settle()
        assert stage.scheduler.cancel(turn_id, "enough")
        await settle()
    assert (await stage.state(turn_id)).cancelled
    process.deaf = False
    async with living(stage):
        await settle()
        (final,) = stage.finals()
        assert final.startswith("■ cancelled")
        assert "enough" in final
        assert (await stage.state(turn_id)).state == "cancelled"


async def test_a_queued_turn_that_was_cancelled_is_ended() -> None:
    """It is told, and never starts."""
    stage = Stage()
    record = stage.record("hello", cancelled=True)
    await stage.journal.commit([TurnPut(record)])
    async with living(stage):
        await settle()
        assert stage.finals()[0].startswith("■ cancelled")
        assert stage.processes.all() == []


async def test_a_final_that_was_decided_is_delivered_by_the_next_takopi() -> None:
    """The chat did not answer before the crash; the turn is over once it has it."""
    stage = Stage()
    async with living(stage):
        turn_id = await stage.submit("hello")
        stage.chat.fault = lambda call: TransportUnavailable("down")
        stage.processes.last.answer()
        await stage.clock.advance(5)
        assert (await stage.state(turn_id)).state == "delivering"
    stage.chat.fault = None
    async with living(stage):
        await stage.clock.advance(5)
        (final,) = stage.finals()
        assert "answer to hello" in final
        assert (await stage.state(turn_id)).state == "done"
    assert stage.runners["codex"].adopted == []


async def test_a_final_that_arrived_is_not_told_again() -> None:
    """Only the last word in the journal was missing."""
    stage = Stage()
    async with living(stage):
        turn_id = await stage.submit("hello")
        stage.store.fault = refusing("done")
        stage.processes.last.answer()
        await stage.clock.advance(5)
        assert (await stage.state(turn_id)).state == "delivering"
    sent = said(stage)
    async with living(stage):
        await stage.clock.advance(5)
        assert (await stage.state(turn_id)).state == "done"
        assert said(stage) == sent
        assert stage.scheduler.turns() == []


def said(stage: Stage) -> list[str]:
    """List what was sent; that a progress message was taken back may be written down late."""
    return [call.text for call in stage.chat.calls if call.verb != "delete"]


def refusing(state: str) -> Callable[[Sequence[Change]], Exception | None]:
    """Let the journal refuse to write down one state."""

    def fault(changes: Sequence[Change]) -> Exception | None:
        states = [change.turn.state for change in changes if isinstance(change, TurnPut)]
        return StoreError("no") if state in states else None

    return fault


@pytest.mark.parametrize(
    ("say", "settled", "cancels"), [("answer", 1, 0), ("fail", 0, 1)], ids=["done", "failed"]
)
async def test_what_is_left_of_a_decided_turn_ends_before_its_session_goes_on(
    say: str, settled: int, cancels: int
) -> None:
    """The crash came between the final and the end of the engine's process."""
    stage = Stage()
    async with living(stage):
        first = await stage.submit("one")
        await stage.submit("two", conversation=first)
        process = stage.processes.last
        process.started()
        process.lingers = True
        await settle()
        stage.store.dies_at = (1, True)
        if say == "answer":
            process.answer()
        else:
            process.fail("it broke")
            process.alive = True
        await settle()
        assert stage.life.dead
        assert process.alive
    async with living(stage):
        await stage.clock.advance(5)
        assert not process.alive
        assert (process.settled, process.cancels) == (settled, cancels)
        assert stage.processes.last.request.prompt == "two"


async def test_a_disk_that_tells_nothing_stops_no_start() -> None:
    """What is left of a decided turn is then left alone."""
    stage = Stage()
    async with living(stage):
        turn_id = await stage.submit("hello")
        stage.store.dies_at = (1, True)
        stage.processes.last.answer()
        await settle()
    stage.host.broken = True
    async with living(stage):
        await stage.clock.advance(5)
        assert stage.finals()
        assert (await stage.state(turn_id)).state == "done"


async def test_more_runs_that_were_left_than_may_start_all_go_on() -> None:
    """The limit is for starts; what waits, waits until there is room again."""
    stage = Stage(max_runs=3)
    async with living(stage):
        for number in range(5):
            await stage.submit(f"p{number}")
    stage.max_runs = 1
    async with living(stage):
        assert len(stage.processes.all()) == 3
        for process in stage.processes.all()[:2]:
            process.answer()
        await stage.clock.advance(5)
        assert len(stage.processes.all()) == 3
        stage.processes.last.answer()
        await stage.clock.advance(5)
        assert len(stage.processes.all()) == 4


@pytest.mark.parametrize("run_id", [None, "run-x"])
async def test_a_decided_turn_that_never_ran_is_over_silently(run_id: str | None) -> None:
    """No letter of it is left, so the chat has them all."""
    stage = Stage()
    decided = {"state": "delivering", "outcome": "cancelled", "run_id": run_id}
    await stage.journal.commit([TurnPut(stage.record("hello", **decided))])
    async with living(stage):
        assert (await stage.state("t1")).state == "cancelled"
        assert stage.chat.calls == []


async def test_a_turn_that_cannot_be_taken_up_costs_no_other() -> None:
    """It stays as it is in the journal."""
    stage = Stage()
    broken = stage.record("broken", scope=None)
    await stage.journal.commit([TurnPut(broken), TurnPut(stage.record("good"))])
    async with living(stage):
        assert [process.request.prompt for process in stage.processes.all()] == ["good"]
        assert stage.scheduler.turn(broken.turn_id) is None
        stage.processes.last.answer()
        await stage.clock.advance(5)
        await stage.scheduler.wait_idle()
    assert (await stage.state(broken.turn_id)).state == "queued"


async def test_a_journal_that_cannot_be_asked_holds_nothing_up() -> None:
    """A journal that cannot say which session a prompt goes on in opens one."""
    stage = Stage()
    reply = stage.record("more", conversation="t9", messages=(5,))
    await stage.journal.commit([TurnPut(reply), TurnPut(stage.record("other"))])

    async def turn_of_message(chat_id: int, message_id: int) -> None:
        raise StoreError("it cannot be read")

    stage.journal.turn_of_message = turn_of_message  # type: ignore[method-assign]
    async with living(stage):
        prompts = [process.request.prompt for process in stage.processes.all()]
        assert prompts == ["more", "other"]


async def test_the_age_of_a_turn_is_never_negative() -> None:
    """The wall clock was set back while takopi was away."""
    stage = Stage()
    await leave_running(stage)
    stage.clock.epoch -= 7_200
    async with living(stage):
        await stage.clock.advance(12)
        assert stage.chat.has("working · codex · 10s")
        stage.processes.last.answer()
        await settle()
        assert stage.finals()[0].startswith("✓ done · codex · 12s")
