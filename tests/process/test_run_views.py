"""What `takopi ps` and `takopi logs` see of run directories, and that looking changes nothing."""
# ruff: noqa: ASYNC240 (processes and files are what these tests are about)

import os
import resource
import shutil
import signal
from pathlib import Path

import anyio
import pytest

from process.engines import everything, first_line, shell
from process.takopi_child import TakopiChild, engine_script
from takopi.file_lock import FileLock
from takopi.model import ResumeToken
from takopi.process.host import LocalRunHost
from takopi.process.run_directory import RunDirectory
from takopi.process.run_views import is_running, list_runs, look_at_run
from takopi.run_host import RunExit

pytestmark = pytest.mark.anyio


def states(runs_dir: Path) -> dict[str, str]:
    return {view.run_id: view.state for view in list_runs(runs_dir)}


async def test_a_run_from_its_start_to_its_end(
    host: LocalRunHost, runs_dir: Path, tmp_path: Path
) -> None:
    """Everything that a list shows."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    record = {"prompt": "fix it", "turn_record": {"turn_id": "t1", "scope": ["telegram", 1]}}
    script = 'echo error >&2; echo up; read x < "$1"; exit 3'
    spec = shell(script, str(fifo), cwd=tmp_path, record=record, run_id="r1")
    run = await host.start(spec)
    await first_line(run.follow())
    run.note_session(ResumeToken("fake", "s-1"))
    view = look_at_run(runs_dir, "r1")
    assert view is not None
    assert (view.state, view.exit, view.ended_at) == ("running", None, None)
    assert (view.engine, view.cwd, view.session) == (
        "fake", str(tmp_path), ResumeToken("fake", "s-1"),
    )  # fmt: skip
    assert view.record == record
    assert view.pid == RunDirectory(run.directory).process_facts().pid
    assert view.created.startswith("20")
    assert (view.stdout.read_text(), view.stderr.read_text()) == ("up\n", "error\n")
    assert view.output_bytes == 9
    fifo.write_text("\n")
    await run.wait()
    view = look_at_run(runs_dir, "r1")
    assert view is not None
    assert (view.state, view.exit, view.pid) == ("ended", RunExit(code=3), None)
    assert view.ended_at == (run.directory / "exit.json").stat().st_mtime


async def test_what_nobody_saw_the_end_of_is_lost(host: LocalRunHost, runs_dir: Path) -> None:
    """Holder and engine are gone; a reboot looks the same."""
    # The id is of this test alone: after a reboot only marks are left, whoever set them.
    run = await host.start(shell("echo up; exec sleep 300", run_id="unseen"))
    await first_line(run.follow())
    path = run.directory / "process.json"
    whole = path.read_text()
    facts = RunDirectory(run.directory).process_facts()
    path.write_text(whole.replace(f'"pid": {facts.pid}', '"pid": null'))
    assert states(runs_dir) == {"unseen": "running"}
    assert facts.holder
    assert facts.engine
    os.kill(facts.holder.pid, signal.SIGKILL)
    assert states(runs_dir) == {"unseen": "running"}  # its engine carries the mark
    path.write_text(whole)
    assert states(runs_dir) == {"unseen": "running"}
    os.kill(facts.engine.pid, signal.SIGKILL)
    while states(runs_dir) != {"unseen": "lost"}:
        await anyio.lowlevel.checkpoint()
    path.write_text(whole.replace(facts.boot, "another-boot"))
    assert states(runs_dir) == {"unseen": "lost"}


async def test_looking_changes_nothing(host: LocalRunHost, runs_dir: Path) -> None:
    """No claim is taken, no folder is made, no process is told anything."""
    directory = RunDirectory(runs_dir / "unclaimed")
    directory.create(shell(":"), "/bin/sh")
    run = await host.start(shell("echo up; exec sleep 300", run_id="r1"))
    await first_line(run.follow())
    before = {path: path.stat().st_mtime_ns for path in runs_dir.rglob("*")}
    assert states(runs_dir) == {"r1": "running", "unclaimed": "starting"}
    assert look_at_run(runs_dir, "unclaimed")
    assert {path: path.stat().st_mtime_ns for path in runs_dir.rglob("*")} == before
    assert (await run.cancel()).signal == signal.SIGINT
    nowhere = runs_dir / "nowhere"
    assert list(list_runs(nowhere)) == []
    assert not nowhere.exists()


async def test_the_newest_stands_first_and_only_runs_are_listed(
    host: LocalRunHost, runs_dir: Path
) -> None:
    """Whatever the ids are; links and foreign files are no runs."""
    for number, run_id in enumerate(("b", "c", "a")):
        run = await host.start(shell(":", run_id=run_id))
        await run.wait()
        os.utime(run.directory / "run.json", (number, number))
    (runs_dir / "link").symlink_to(runs_dir / "a")
    (runs_dir / "file").write_text("x")
    (runs_dir / "folder").mkdir()
    (runs_dir / ".deleting-x").mkdir()
    assert [view.run_id for view in list_runs(runs_dir)] == ["a", "c", "b"]
    for name in ("link", "file", "gone", "../runs/a", "", "."):
        assert look_at_run(runs_dir, name) is None


async def test_a_damaged_directory_is_shown_as_far_as_it_goes(
    host: LocalRunHost, runs_dir: Path
) -> None:
    """Nothing raises for garbage."""
    run = await host.start(shell(":", run_id="r1"))
    await run.wait()
    for path in run.directory.iterdir():
        path.write_text("[garbage")
    (view,) = list_runs(runs_dir)
    assert (view.engine, view.cwd, view.created, view.session, dict(view.record)) == (
        "", "", "", None, {},
    )  # fmt: skip
    assert view.state == "ended"
    assert not is_running(RunDirectory(runs_dir / "gone"))


async def test_short_of_descriptors_a_run_may_be_running(host: LocalRunHost) -> None:
    """Nobody may take a session over because a file could not be opened."""
    run = await host.start(shell("echo x", run_id="r1"))
    assert await everything(run) == b"x\n"
    await run.wait()
    assert not host.is_running(run.directory)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        assert host.is_running(run.directory)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_takopi_owns_its_runs_as_long_as_it_lives(
    host: LocalRunHost, runs_dir: Path, home_id: str, tmp_path: Path
) -> None:
    """And no longer: whoever adopts a run owns it then."""
    os.mkfifo(tmp_path / "go")
    runner = engine_script(tmp_path / "e.py", "tell(session='s1'); wait('go')")
    child = TakopiChild(runs=runs_dir, home_id=home_id, engine=runner.path)
    await child.until("started")
    owner = FileLock(runs_dir / "r1" / "owner")
    assert not owner.acquire()
    child.kill()
    assert owner.acquire()
    owner.release()
    run = host.attach("r1")
    assert run is not None
    assert not owner.acquire()
    await run.cancel()
    assert owner.acquire()


async def test_a_run_that_cannot_be_owned_is_adopted_all_the_same(
    host: LocalRunHost, runs_dir: Path
) -> None:
    """A full disk must not keep a person from their answer."""
    run = await host.start(shell("echo x", run_id="r1"))
    await run.settle(10)
    (runs_dir / "r1" / "owner").unlink()
    (runs_dir / "r1" / "owner").mkdir()
    again = host.attach("r1")
    assert again is not None
    assert await everything(again) == b"x\n"
    shutil.rmtree(runs_dir / "r1")
