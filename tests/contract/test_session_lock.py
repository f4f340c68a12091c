"""A session's lock: one holder, first in first out, no matter which task releases."""

import gc
from collections.abc import AsyncIterator

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from contract.scripted import ENGINE, ToyRunner
from takopi.errors import EngineError
from takopi.events import EventFactory
from takopi.model import CompletedEvent, ResumeToken, TakopiEvent
from takopi.session_lock import SessionLock, session_lock

pytestmark = pytest.mark.anyio


async def settled() -> None:
    """Let every task that can go on do so."""
    await anyio.wait_all_tasks_blocked()


async def test_those_who_wait_get_it_in_their_order() -> None:
    """First in, first out; a newcomer does not slip in between."""
    lock, order = SessionLock(), []

    async def turn(name: int) -> None:
        await lock.acquire()
        order.append(name)

    async with anyio.create_task_group() as tasks:
        await lock.acquire()
        for name in range(3):
            tasks.start_soon(turn, name)
            await settled()
        assert lock.waiting == 3
        for count in range(1, 4):
            lock.release()
            assert lock.locked  # handed over at once, not free for a newcomer
            await settled()
            assert order == list(range(count))
        lock.release()
    assert not lock.locked


async def test_who_gives_up_waiting_leaves_the_line() -> None:
    """A cancelled waiter neither gets the lock nor blocks those behind."""
    lock = SessionLock()
    got = anyio.Event()

    async def patient() -> None:
        await lock.acquire()
        got.set()

    await lock.acquire()
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            tasks.start_soon(cancel_when_waiting, lock, scope)
            await lock.acquire()
        assert lock.waiting == 0
        tasks.start_soon(patient)
        await settled()
        lock.release()
        await got.wait()
    lock.release()


async def cancel_when_waiting(lock: SessionLock, scope: anyio.CancelScope) -> None:
    """Cancel the scope once somebody waits for the lock."""
    await settled()
    assert lock.waiting == 1
    scope.cancel()


async def test_a_lock_handed_to_a_cancelled_waiter_goes_on_to_the_next() -> None:
    """Release and cancellation in the same step lose nothing."""
    lock, got = SessionLock(), []

    async def turn(name: str, scope: anyio.CancelScope) -> None:
        with scope:
            await lock.acquire()
            got.append(name)

    await lock.acquire()
    first, second = anyio.CancelScope(), anyio.CancelScope()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turn, "first", first)
        await settled()
        tasks.start_soon(turn, "second", second)
        await settled()
        first.cancel()
        lock.release()
        await settled()
    assert got == ["second"]


async def test_releasing_twice_is_a_bug_that_shows() -> None:
    """It would let two turns in."""
    lock = SessionLock()
    await lock.acquire()
    lock.release()
    with pytest.raises(RuntimeError, match="twice"):
        lock.release()


async def test_a_cancelled_turn_does_not_take_a_free_lock() -> None:
    """Else nobody would release it."""
    lock = SessionLock()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await lock.acquire()
    assert not lock.locked


async def test_a_lock_is_a_context_manager() -> None:
    """Plug-ins write `async with self.lock_for(token)`."""
    token = ResumeToken(ENGINE, "s1")
    async with ToyRunner().lock_for(token):
        assert session_lock(token).locked
    assert not session_lock(token).locked


async def test_a_lock_belongs_to_the_session_not_to_the_runner() -> None:
    """Two runners of one engine exclude each other; unused locks are forgotten."""
    token = ResumeToken(ENGINE, "s1")
    lock = ToyRunner().lock_for(token)
    assert ToyRunner().lock_for(ResumeToken(ENGINE, "s1")) is lock
    assert session_lock(ResumeToken("other", "s1")) is not lock
    await lock.acquire()
    del lock
    gc.collect(1)  # what is young; to look at all there is takes a quarter of a second
    assert not session_lock(token).locked


async def steps_of_others() -> None:
    """Let the other tasks take some steps; anyio's own wait sleeps for 0.1 s a time."""
    for _ in range(6):
        await checkpoint()


@pytest.mark.timeout(900)  # 10,000 examples in the full form
@given(st.lists(st.sampled_from(["enter", "leave", "give up"]), max_size=20))
def test_never_two_holders_and_always_in_order(steps: list[str]) -> None:
    """Whatever the order of arrivals, ends and cancellations."""

    async def main() -> None:
        lock = SessionLock()
        scopes: list[anyio.CancelScope] = []
        inside: list[int] = []
        entered: list[int] = []
        leave: dict[int, anyio.Event] = {}

        async def turn(name: int) -> None:
            with scopes[name]:
                await lock.acquire()
                inside.append(name)
                entered.append(name)
                assert len(inside) == 1
                with anyio.CancelScope(shield=True):
                    await leave[name].wait()
                inside.remove(name)
                lock.release()

        async with anyio.create_task_group() as tasks:
            for step in steps:
                if step == "enter":
                    scopes.append(anyio.CancelScope())
                    leave[len(scopes) - 1] = anyio.Event()
                    tasks.start_soon(turn, len(scopes) - 1)
                elif step == "leave" and inside:
                    leave[inside[0]].set()
                elif step == "give up" and scopes:
                    scopes[len(scopes) // 2].cancel()
                await steps_of_others()
            while inside:
                leave[inside[0]].set()
                await steps_of_others()
        assert entered == sorted(entered)
        assert not lock.locked

    anyio.run(main)


async def test_a_runner_with_a_run_of_its_own_takes_the_lock_of_its_session() -> None:
    """As runners of plug-ins do; a new session has no lock yet, and another engine's none here."""
    runner, token = ToyRunner(), ResumeToken(ENGINE, "s")
    held: list[bool] = []

    async def events(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        held.append(session_lock(token).locked)
        yield EventFactory(ENGINE).completed_ok(answer=prompt, resume=resume)

    for resume in (token, None):
        (event,) = [one async for one in runner.run_with_resume_lock("hi", resume, events)]
        assert isinstance(event, CompletedEvent)
        assert (event.answer, event.resume) == ("hi", resume)
    assert held == [True, False]
    with pytest.raises(EngineError, match="cannot resume a session of other"):
        await anext(runner.run_with_resume_lock("hi", ResumeToken("other", "s"), events))


async def test_a_runner_may_put_something_around_the_locked_run() -> None:
    """Its own `run` is the one that is called."""

    class Around(ToyRunner):
        async def run(self, prompt, resume):  # type: ignore[no-untyped-def, override]
            async for event in self.run_locked(f"<{prompt}>", resume):
                yield event

    last = [one async for one in Around().run("hi", None)][-1]
    assert isinstance(last, CompletedEvent)
