"""A live turn of a JSON lines engine, over a scripted host."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from contract.scripted import ENGINE, HELLO, Script, ScriptedHost, ToyRunner
from contract.stage import S1, Stage, read
from takopi.errors import EngineMissing, RunFailed, WorkDirMissing
from takopi.jsonl_fold import CANCELLED
from takopi.model import CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.run_host import RunExit
from takopi.runner import RunnerRuntime, bind_runtime
from takopi.session_lock import session_lock
from takopi.turn import LiveTurn

pytestmark = pytest.mark.anyio


async def test_a_turn_runs_to_its_final_and_settles(stage: Stage) -> None:
    """The plain way: events as they come, then a normal end."""
    host = stage.scripts(Script(HELLO, settled=RunExit(code=0, ended=("npm run dev",))))
    turn = stage.open()
    assert turn.run_id is None
    events = [event async for event in turn]
    assert [e.type for e in events] == ["started", "action", "action", "completed"]
    (run,) = host.runs
    assert (turn.run_id, run.log, run.sessions) == ("run-1", [], [S1])
    assert session_lock(S1).locked  # the process may still work in the session
    await turn.aclose()
    assert run.log == ["settle"]
    assert run.graces_s == [5.0]  # as the contract says
    assert run.following_closed
    assert turn.ended_background == ("npm run dev",)
    assert not session_lock(S1).locked
    await turn.aclose()
    assert run.log == ["settle"]
    assert [event async for event in turn] == []


async def test_turns_of_one_session_never_overlap(stage: Stage) -> None:
    """The second starts when the first one's process has ended, not when its final came."""
    gate = anyio.Event()
    host = stage.scripts(Script(HELLO, close_gate=gate), Script(HELLO))
    first, second = stage.open(S1), stage.open(S1)
    assert len([e async for e in first]) == 4
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, second)
        await anyio.wait_all_tasks_blocked()
        assert len(host.runs) == 1
        tasks.start_soon(first.aclose)
        await anyio.wait_all_tasks_blocked()
        assert len(host.runs) == 1
        gate.set()
    assert [run.log for run in host.runs] == [["settle"], ["settle"]]


async def test_a_new_session_is_locked_before_it_is_reported(stage: Stage) -> None:
    """Who learns of the session from the event cannot get in before the turn ends."""
    stage.scripts(Script(HELLO))
    held = session_lock(S1)
    await held.acquire()
    seen: list[TakopiEvent] = []

    async def first(turn: LiveTurn) -> None:
        seen.append(await anext(turn))  # type: ignore[call-overload]

    turn = stage.open()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first, turn)
        await anyio.wait_all_tasks_blocked()
        assert seen == []
        held.release()
    assert seen == [StartedEvent(ENGINE, S1)]
    assert session_lock(S1).locked
    await turn.aclose()
    assert not session_lock(S1).locked


async def test_a_turn_is_read_in_one_place(stage: Stage) -> None:
    """Two readers would each miss events."""
    stage.scripts(Script([anyio.Event()]))
    turn = stage.open()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, turn)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(RuntimeError, match="one place"):
            await anext(turn)  # type: ignore[call-overload]
        await turn.interrupt()


async def test_what_the_engine_cannot_do_is_no(stage: Stage) -> None:
    """The bridge queues instead."""
    turn = stage.open()
    assert not await turn.steer("more")
    assert not await turn.answer("ask", "yes")
    await turn.aclose()
    assert stage.host.runs == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (EngineMissing(ENGINE, "toy", "get toy"), "install it with `get toy`"),
        (WorkDirMissing(Path("/gone")), "the working directory /gone does not exist"),
        (RunFailed("the disk is full"), "the disk is full"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
async def test_a_failed_start_is_a_final_with_its_text(
    stage: Stage, error: Exception, text: str
) -> None:
    """Neither `open` nor `run` raises for what goes wrong with an engine."""
    stage.scripts(error, error)
    (final,) = await read(stage.open(S1))
    (same,) = [event async for event in ToyRunner().run("hi", S1)]
    assert final == same
    assert isinstance(final, CompletedEvent)
    assert final.resume == S1
    assert text in str(final.error)
    assert not session_lock(S1).locked


@pytest.mark.parametrize("hook", ["command", "build_args", "new_state", "env", "start_run"])
async def test_a_bug_in_a_hook_is_a_final_that_names_it(stage: Stage, hook: str) -> None:
    """One bad module ends its own turn and nothing else."""

    def broken(*args: Any, **more: Any) -> Any:
        raise LookupError(hook)

    runner = type("Broken", (ToyRunner,), {hook: broken})()
    (final,) = await read(stage.open(runner=runner))
    assert f"the module of the engine toy failed with LookupError: {hook}" in str(
        final.error  # type: ignore[union-attr]
    )


class Panic(BaseException):
    """Be what extensions written in Rust raise."""


@pytest.mark.parametrize("hook", ["new_state", "translate", "stream_end_events"])
@pytest.mark.parametrize("error", [SystemExit("no licence"), Panic("no licence")])
async def test_a_hook_that_exits_or_panics_ends_its_own_turn_only(
    stage: Stage, hook: str, error: BaseException
) -> None:
    """It ended `takopi toy "hi"` without a word."""

    def broken(*args: Any, **more: Any) -> Any:
        raise error

    runner = type("Broken", (ToyRunner,), {hook: broken})()
    stage.scripts(Script(HELLO[:1]))
    final = (await read(stage.open(runner=runner)))[-1]
    assert f"the module of the engine toy failed with {type(error).__name__}: no licence" in str(
        final.error  # type: ignore[union-attr]
    )
    assert all("cancel" in run.log for run in stage.host.runs)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()])
async def test_a_person_who_interrupts_a_hook_is_obeyed(stage: Stage, error: BaseException) -> None:
    """Ctrl-C is no fault of the engine."""

    def interrupted(*args: Any, **more: Any) -> Any:
        raise error

    runner = type("Interrupted", (ToyRunner,), {"command": interrupted})()
    turn = stage.open(runner=runner)
    with pytest.raises(type(error)):
        await anext(turn)  # type: ignore[call-overload]
    assert [event async for event in turn] == []


async def test_another_session_ends_the_engine_at_once(stage: Stage) -> None:
    """It works in a session that nobody asked for."""
    host = stage.scripts(Script([*HELLO, anyio.Event()]))
    turn = stage.open(ResumeToken(ENGINE, "mine"))
    (final,) = [event async for event in turn]
    assert "session s1, not in mine" in str(final.error)  # type: ignore[union-attr]
    assert host.runs[0].log == ["cancel"]
    await turn.aclose()
    assert "settle" not in host.runs[0].log


async def test_a_token_of_another_engine_starts_nothing(stage: Stage) -> None:
    """It is told with which engine the session goes on, and not shown as ours."""
    (final,) = await read(stage.open(ResumeToken("codex", "s1")))
    assert isinstance(final, CompletedEvent)
    assert "session s1 belongs to codex, not to toy" in str(final.error)
    assert final.resume is None
    assert stage.host.runs == []


async def test_an_engine_without_result_says_why(stage: Stage) -> None:
    """Exit status and the end of standard error are in the final."""
    stage.scripts(Script([HELLO[0]], RunExit(code=1), "Error: not logged in\n"))
    final = (await read(stage.open()))[-1]
    assert final == CompletedEvent(
        ENGINE, False, "", S1,
        "toy failed with exit status 1 without a result\n\nError: not logged in",
    )  # fmt: skip


async def test_what_breaks_while_following_is_a_final(stage: Stage) -> None:
    """A run that grew too big is ended and says why."""

    class Full(ScriptedHost):
        async def start(self, spec: Any) -> Any:
            run = await super().start(spec)

            async def follow() -> Any:
                yield HELLO[0]
                raise RunFailed("the run wrote more than 1,024 MB")

            run.follow = follow  # type: ignore[method-assign]
            return run

    host = Full(Script())
    with bind_runtime(RunnerRuntime(host=host)):
        events = await read(stage.open())
    assert events[-1] == CompletedEvent(ENGINE, False, "", S1, "the run wrote more than 1,024 MB")
    assert host.runs[0].log == ["cancel", "cancel"] or host.runs[0].log == ["cancel", "settle"]


async def test_a_run_that_the_host_ended_says_why(stage: Stage) -> None:
    """The host's reason takes the place of the signal's name."""
    stage.scripts(Script([HELLO[0]], RunExit(signal=15, reason="the run wrote too much")))
    assert (await read(stage.open()))[-1].error == "the run wrote too much"  # type: ignore[union-attr]


async def test_errors_of_the_disk_do_not_lose_the_answer(stage: Stage) -> None:
    """The session cannot be noted and the run not be ended: the events come all the same."""

    class FullDisk(ScriptedHost):
        async def start(self, spec: Any) -> Any:
            run = await super().start(spec)

            def note_session(token: ResumeToken) -> None:
                raise OSError(28, "No space left on device")

            async def cancel() -> RunExit:
                run.cancelled.set()
                raise OSError(28, "No space left on device")

            run.note_session, run.cancel = note_session, cancel  # type: ignore[method-assign]
            return run

    with bind_runtime(RunnerRuntime(host=FullDisk(Script([HELLO[0], anyio.Event()])))):
        turn = stage.open()
        assert await anext(turn) == StartedEvent(ENGINE, S1)  # type: ignore[call-overload]
        await turn.interrupt()
        assert (await read(turn))[-1].error == CANCELLED  # type: ignore[union-attr]
    assert not session_lock(S1).locked
