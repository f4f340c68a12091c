"""Turns ended in every way at every moment: sessions never overlap, nothing stays behind."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from contract.scripted import ENGINE, HELLO, Script, ScriptedRun, ToyRunner, line
from takopi.model import CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.run_host import RunExit, RunSpec
from takopi.runner import RunnerRuntime, adopt_turn, bind_runtime, open_turn
from takopi.session_lock import session_lock
from takopi.turn import LiveTurn, TurnRequest

SCRIPTS = {
    "good": Script(HELLO),
    "one chunk": Script([b"".join(HELLO)]),
    "silent": Script([anyio.Event]),  # a new event for each run
    "hangs in work": Script([HELLO[0], anyio.Event]),
    "lingers": Script([*HELLO, anyio.Event]),
    "crashes": Script([HELLO[0]], RunExit(code=1)),
    "other session": Script([line(session="s2"), HELLO[2]]),
    "two results": Script([*HELLO, line(result="again")]),
    "garbage": Script([b"garbage\n", *HELLO]),
    "cannot start": OSError("no"),
}


@dataclass
class Plan:
    """Say what one turn plays, and how and when it is ended."""

    script: str
    resumes: bool
    way: str
    after: int
    left: bool = False


PLANS = st.builds(
    Plan,
    st.sampled_from(sorted(SCRIPTS)),
    st.booleans(),
    st.sampled_from(["read on", "interrupt", "close", "cancel", "detach"]),
    st.integers(0, 12),
)


@dataclass
class Watch:
    """Count who is inside of a session, from the start of a run to its end."""

    inside: dict[str, int] = field(default_factory=dict)
    overlaps: list[str] = field(default_factory=list)
    open_runs: int = 0
    runs: dict[str, "WatchedRun"] = field(default_factory=dict)


class Host:
    """Start scripts, and watch that the runs of a session do not overlap.

    Args:
        watch: Counts them.
        unique: A new session has an id that no other has. Two engines that give one id to two
            sessions are kept apart by their turns, as long as those are there.
    """

    def __init__(self, watch: Watch, *, unique: bool) -> None:
        self.watch = watch
        self.unique = unique

    def session_cwd(self, token: ResumeToken) -> None:
        return None

    async def start(self, spec: RunSpec) -> "WatchedRun":
        await checkpoint()
        script: Any = SCRIPTS[spec.record["script"]]
        if isinstance(script, Exception):
            raise script
        chunks = [c() if c is anyio.Event else c for c in script.chunks]
        if self.unique and "--resume" not in spec.argv:
            chunks = [_with_own_session(c, len(self.watch.runs)) for c in chunks]
        run = WatchedRun(Script(chunks, script.exit), spec, 1)
        run.watch = self.watch
        run.run_id = f"run-{len(self.watch.runs)}"
        run.directory = Path("/nowhere") / run.run_id
        self.watch.runs[run.run_id] = run
        if spec.on_directory is not None:
            spec.on_directory(run.directory)
        self.watch.open_runs += 1
        if "--resume" in spec.argv:
            run.enter(spec.argv[-1])
        return run

    def attach(self, run_id: str) -> "WatchedRun":
        return self.watch.runs[run_id]

    def is_running(self, directory: Path) -> bool:
        run = self.watch.runs.get(directory.name)
        return run is not None and not run.ended


def _with_own_session(chunk: Any, number: int) -> Any:
    if not isinstance(chunk, bytes):
        return chunk
    return re.sub(rb'"(s[12])"', rb'"\1-%d"' % number, chunk)


class WatchedRun(ScriptedRun):
    """Take some steps to end, and tell the watch."""

    watch: Watch
    session: str | None = None
    ended = False

    def enter(self, session: str) -> None:
        self.session = session
        self.watch.inside[session] = self.watch.inside.get(session, 0) + 1
        if self.watch.inside[session] > 1:
            self.watch.overlaps.append(session)

    def note_session(self, token: ResumeToken) -> None:
        if self.session is None:
            self.enter(token.value)

    async def _end(self) -> None:
        self.cancelled.set()
        for _ in range(3):
            await checkpoint()
        if not self.ended:
            self.ended = True
            self.watch.open_runs -= 1
            if self.session is not None:
                self.watch.inside[self.session] -= 1

    async def settle(self, grace_s: float) -> RunExit:
        await self._end()
        return self.script.exit

    async def cancel(self) -> RunExit:
        await self._end()
        return RunExit(signal=2)


async def play(plan: Plan) -> list[TakopiEvent]:
    """Run one turn as planned and return the events that were read."""
    resume = ResumeToken(ENGINE, "s1") if plan.resumes else None
    record = {"script": plan.script}
    turn: Any = open_turn(ToyRunner(), TurnRequest(prompt="hi", resume=resume, record=record))
    turn.session_poll_s = 0.001
    events = await read(plan, turn)
    if plan.left and turn.run_id is None:  # its start failed after it was left
        assert events == []
    elif plan.left:
        turn = adopt_turn(ToyRunner(), TurnRequest(prompt="hi", resume=resume), turn.run_id)
        events = await read(Plan("", plan.resumes, "read on", 0), turn)
    return events


async def read(plan: Plan, turn: LiveTurn) -> list[TakopiEvent]:
    """Read a turn and end it as planned."""
    events: list[TakopiEvent] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end_it, plan, turn, tasks.cancel_scope)
        async for event in turn:
            events.append(event)
        await turn.aclose()
        tasks.cancel_scope.cancel()
    await turn.aclose()
    return events


async def end_it(plan: Plan, turn: LiveTurn, scope: anyio.CancelScope) -> None:
    """End a turn in its way, some steps after it began; one that hangs is interrupted later."""
    for _ in range(plan.after):
        await checkpoint()
    if plan.way == "interrupt":
        await turn.interrupt()
    elif plan.way == "close":
        await turn.aclose()
    elif plan.way == "cancel":
        scope.cancel()
    elif plan.way == "detach":
        plan.left = turn.detach()
    for _ in range(60):
        await checkpoint()
    await turn.interrupt()


def check(plan: Plan, events: list[TakopiEvent]) -> None:
    """Say what holds for the events of every turn."""
    ends = [e for e in events if isinstance(e, CompletedEvent)]
    starts = [e for e in events if isinstance(e, StartedEvent)]
    assert len(starts) <= 1
    assert len(ends) == 1 or plan.way in ("cancel", "close") or (plan.left and not events)
    if ends:
        assert events[-1] is ends[0]
        assert ends[0].ok == (ends[0].error is None)
        if starts:
            assert ends[0].resume == starts[0].resume


@pytest.mark.timeout(900)  # 10,000 examples in the full form
@given(st.lists(PLANS, min_size=1, max_size=4))
def test_turns_of_one_session_at_random(plans: list[Plan]) -> None:
    """Whatever ends them and whenever: one final each, no overlap, no run, no lock left."""

    async def main() -> None:
        watch = Watch()
        results: list[list[TakopiEvent]] = [[] for _ in plans]

        async def one(number: int) -> None:
            results[number] = await play(plans[number])

        host = Host(watch, unique=any(plan.way == "detach" for plan in plans))
        with bind_runtime(RunnerRuntime(host=host)), anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                for number in range(len(plans)):
                    tasks.start_soon(one, number)
        assert watch.overlaps == []
        assert watch.open_runs == 0
        assert not session_lock(ResumeToken(ENGINE, "s1")).locked
        for plan, events in zip(plans, results, strict=True):
            check(plan, events)

    anyio.run(main)
