"""Run directories that nobody needs are deleted, and nothing else ever is."""
# ruff: noqa: ASYNC240 (processes and files are what these tests are about)

import os
import time
from pathlib import Path

import anyio
import pytest

from contract.scripted import ENGINE
from process.engines import everything, first_line, holder_command, shell
from process.takopi_child import engine_script
from takopi.file_lock import FileLock
from takopi.model import CompletedEvent, ResumeToken
from takopi.process.host import LocalRunHost
from takopi.process.housekeeping import Keeping, delete_old_runs
from takopi.process.run_directory import SessionNote
from takopi.process.session_index import MAX_KEPT, SessionIndex
from takopi.runner import RunnerRuntime, bind_runtime, open_turn
from takopi.turn import TurnRequest

pytestmark = pytest.mark.anyio

DAY = 86_400.0
TOKEN = ResumeToken("fake", "s-1")


def nothing_needed(run_id: str) -> bool:
    return False


async def ended(host: LocalRunHost, run_id: str, days: float, *, cwd: Path = Path("/")) -> Path:
    """Make a run that ended so many days ago."""
    run = await host.start(shell("echo out; echo err >&2", run_id=run_id, cwd=cwd))
    run.note_session(ResumeToken("fake", f"s-{run_id}"))
    await run.settle(10)
    age(run.directory, days)
    return run.directory


def age(directory: Path, days: float) -> None:
    """Let a directory be as if it had been left alone for so long."""
    then = time.time() - days * DAY
    for path in (*directory.iterdir(), directory):
        os.utime(path, (then, then), follow_symlinks=False)


async def delete(host: LocalRunHost, **more: object) -> tuple[str, ...]:
    """Delete what is old."""
    given: dict[str, object] = {"keeping": Keeping(), "is_needed": nothing_needed, **more}
    return await delete_old_runs(host, now=time.time(), **given)  # type: ignore[arg-type]


async def test_old_runs_go_with_all_their_files(host: LocalRunHost, runs_dir: Path) -> None:
    """Those that the journal needs stay, and so do new ones."""
    for run_id, days in (("new", 1), ("old", 8), ("older", 9), ("needed", 30)):
        await ended(host, run_id, days)
    (runs_dir / "older" / "sub").mkdir()
    (runs_dir / "older" / "link").symlink_to(runs_dir / "new")
    age(runs_dir / "older", 9)
    assert await delete(host, is_needed=lambda run_id: run_id == "needed") == ("older", "old")
    assert {path.name for path in runs_dir.iterdir()} == {"new", "needed", "sessions.jsonl"}
    assert (runs_dir / "new" / "stdout.jsonl").read_bytes() == b"out\n"
    assert await delete(host, is_needed=lambda run_id: run_id == "needed") == ()


async def test_of_too_much_the_oldest_go(host: LocalRunHost, runs_dir: Path) -> None:
    """The size of all files of a run counts."""
    for run_id, days in (("a", 3), ("b", 2), ("c", 1)):
        path = await ended(host, run_id, days)
        (path / "stderr.log").write_bytes(b"x" * 400_000)
        age(path, days)
    assert await delete(host, keeping=Keeping(gb=0.0009)) == ("a",)
    assert await delete(host, keeping=Keeping(gb=0)) == ("b", "c")


async def test_what_is_no_run_is_never_deleted(host: LocalRunHost, runs_dir: Path) -> None:
    """Links, files, foreign directories, names that no run has."""
    path = await ended(host, "r1", 30)
    elsewhere = runs_dir.parent / "elsewhere"
    path.rename(elsewhere)
    (runs_dir / "link").symlink_to(elsewhere)
    (runs_dir / ".deleting-link").symlink_to(elsewhere)
    (runs_dir / ".deleting-file").write_text("x")
    (runs_dir / ".deleting-..").mkdir()
    (runs_dir / "file").write_text("x")
    (runs_dir / "empty").mkdir()
    (runs_dir / "photos").mkdir()
    (runs_dir / "photos" / "run.jpg").write_text("x")
    (runs_dir / "name.of.none").mkdir()
    (runs_dir / "name.of.none" / "run.json").write_text('{"engine": "x"}')
    for found in runs_dir.iterdir():
        os.utime(found, (0, 0), follow_symlinks=False)
    before = {found.name for found in runs_dir.rglob("*")}
    assert await delete(host, keeping=Keeping(0, 0)) == ()
    assert {found.name for found in runs_dir.rglob("*")} == before
    assert (elsewhere / "run.json").exists()


async def test_what_lives_or_is_owned_stays(host: LocalRunHost, tmp_path: Path) -> None:
    """A process that carries the mark, an engine that works, a terminal that has the run."""
    server = await host.start(shell("sleep 300 & echo x", run_id="r1", keep_background=True))
    assert await everything(server) == b"x\n"
    assert (await server.settle(10)).code == 0
    working = await host.start(shell("echo x; exec sleep 300", run_id="r2"))
    await first_line(working.follow())
    owned = await ended(host, "r3", 30)
    terminal = FileLock(owned / "owner")
    assert terminal.acquire()
    for run in (server, working):
        age(run.directory, 30)
    assert await delete(host) == ()
    await server.cancel()
    await working.cancel()
    terminal.release()
    for run_id in ("r1", "r2", "r3"):
        age(host.runs_dir / run_id, 30)
    assert set(await delete(host)) == {"r1", "r2", "r3"}


async def test_a_deletion_that_a_crash_cut_is_finished(host: LocalRunHost, runs_dir: Path) -> None:
    """A half-deleted run is no run any more; nobody attaches to it."""
    path = await ended(host, "r1", 1)
    (path / "run.json").unlink()
    path.rename(runs_dir / ".deleting-r1")
    assert host.attach("r1") is None
    assert host.attach(".deleting-r1") is None
    assert await delete(host) == ()
    assert not (runs_dir / ".deleting-r1").exists()


async def test_a_run_that_a_crash_left_unmade_goes_too(host: LocalRunHost, runs_dir: Path) -> None:
    """It has some of a run's files and no others."""
    # A name of its own: a process of another test with the same would keep it.
    (runs_dir / "unmade").mkdir()
    (runs_dir / "unmade" / "claim").touch()
    (runs_dir / "unmade" / "run.json").touch()
    (runs_dir / "unmade" / "process.json.123").touch()
    age(runs_dir / "unmade", 8)
    assert await delete(host) == ("unmade",)


async def test_what_cannot_be_deleted_is_left_for_later(
    host: LocalRunHost, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a disk that refuses nor a lock that cannot be made stops the rest."""
    for run_id in ("r1", "r2"):
        await ended(host, run_id, 8)
    (runs_dir / "r1" / "owner").unlink()
    (runs_dir / "r1" / "owner").mkdir()
    age(runs_dir / "r1", 8)
    system_rmdir = os.rmdir

    def refuse(*args: object, **more: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "rmdir", refuse)
    assert await delete(host) == ("r2",)
    monkeypatch.setattr(os, "rmdir", system_rmdir)
    assert (runs_dir / ".deleting-r2").exists()
    assert await delete(host) == ()
    assert not (runs_dir / ".deleting-r2").exists()
    assert (runs_dir / "r1" / "run.json").exists()


async def test_without_room_for_the_sessions_nothing_is_deleted(
    host: LocalRunHost, runs_dir: Path
) -> None:
    """A session that nobody can find again would start in the wrong place."""
    await ended(host, "r1", 8)
    (runs_dir / f".sessions.{os.getpid()}").mkdir()
    assert await delete(host) == ()
    assert (runs_dir / "r1" / "session.json").exists()
    (runs_dir / f".sessions.{os.getpid()}").rmdir()
    assert await delete(host) == ("r1",)


async def test_a_folder_that_is_gone_has_nothing_to_delete(
    host: LocalRunHost, runs_dir: Path
) -> None:
    """Somebody cleared takopi's folder."""
    runs_dir.rmdir()
    assert await delete(host) == ()


async def test_a_session_resumes_in_its_directory_after_its_run_is_deleted(
    host: LocalRunHost, runs_dir: Path, home_id: str, tmp_path: Path
) -> None:
    """Also by a takopi that never saw the run."""
    home = tmp_path / "project"
    home.mkdir()
    runner = engine_script(tmp_path / "e.py", "tell(session='s1'); tell(result=os.getcwd())")
    token = ResumeToken(ENGINE, "s1")
    with bind_runtime(RunnerRuntime(host=host)):
        first = open_turn(runner, TurnRequest(prompt="hi", cwd=home, run_id="r1"))
        async for _ in first:
            pass
        await first.aclose()
    age(runs_dir / "r1", 8)
    assert await delete(host) == ("r1",)
    later = LocalRunHost(runs_dir, home_id, holder_command=holder_command())
    assert later.session_cwd(token) == home
    with bind_runtime(RunnerRuntime(host=later)):
        turn = open_turn(runner, TurnRequest(prompt="hi", resume=token, cwd=tmp_path))
        events = [event async for event in turn]
        await turn.aclose()
    assert events[-1] == CompletedEvent(ENGINE, True, str(home), token)
    (run_id,) = [path.name for path in runs_dir.iterdir() if path.is_dir()]
    age(runs_dir / run_id, 8)
    assert await delete(host) == (run_id,)
    assert len((runs_dir / "sessions.jsonl").read_text().splitlines()) == 1


def test_the_index_keeps_the_newest_sessions(runs_dir: Path) -> None:
    """A line that somebody broke costs that session only; the file never grows without end."""
    runs_dir.mkdir()
    index = SessionIndex(runs_dir)
    assert index.cwd_of(TOKEN) is None
    index.keep([])
    assert not (runs_dir / "sessions.jsonl").exists()
    index.keep([SessionNote("fake", "s-1", "/a"), SessionNote("fake", "s-2", "/b")])
    with (runs_dir / "sessions.jsonl").open("a") as file:
        file.write("broken\n")
        file.write('{"engine": "fake", "value": "s-1", "cwd": "/c"}\n')
    os.utime(runs_dir / "sessions.jsonl", (1, 1))
    assert index.cwd_of(TOKEN) == Path("/c")
    assert SessionIndex(runs_dir).cwd_of(ResumeToken("fake", "s-2")) == Path("/b")
    index.keep(SessionNote("fake", f"n-{n}", "/n") for n in range(MAX_KEPT))
    assert index.cwd_of(TOKEN) is None
    assert len((runs_dir / "sessions.jsonl").read_bytes().splitlines()) == MAX_KEPT
    assert (runs_dir / "sessions.jsonl").stat().st_mode & 0o777 == 0o600
    (runs_dir / "sessions.jsonl").unlink()
    assert index.cwd_of(ResumeToken("fake", "n-1")) is None


async def test_the_newest_note_of_a_session_counts(host: LocalRunHost, runs_dir: Path) -> None:
    """Whatever the runs are called."""
    for run_id, cwd, days in (("b", "/tmp", 2), ("a", "/usr", 1), ("c", "/etc", 3)):
        run = await host.start(shell(":", run_id=run_id, cwd=Path(cwd)))
        run.note_session(TOKEN)
        await run.wait()
        age(run.directory, days)
    assert host.session_cwd(TOKEN) == Path("/usr")
    assert await anyio.to_thread.run_sync(host.session_cwd, ResumeToken("fake", "x")) is None
