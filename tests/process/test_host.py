"""Starting engines: what they get, and what is said when they cannot start."""
# ruff: noqa: ASYNC240 (processes and files are what these tests are about)

import errno
import json
import os
import re
import signal
import stat
import sys
from pathlib import Path

import anyio
import msgspec
import pytest

from process.engines import Named, environment, everything, first_line, holder_command, shell
from takopi.errors import AccessError, EngineMissing, RunFailed, WorkDirMissing
from takopi.process.host import HostLimits, LocalRunHost
from takopi.process.identity import read_file
from takopi.process.run_directory import RunDirectory
from takopi.run_host import RunExit, RunSpec

pytestmark = pytest.mark.anyio


async def test_an_engine_gets_its_arguments_input_and_directory(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """Arguments, stdin, working directory and PWD arrive as they were given."""
    cwd = tmp_path / "project with spaces"
    cwd.mkdir()
    spec = shell('cat; printf "%s|" "$@" "$PWD" "$(pwd)"', "a b", "", "ü", cwd=cwd, stdin=b"in\n")
    run = await host.start(spec)
    assert await everything(run) == f"in\na b||ü|{cwd}|{cwd}|".encode()
    assert await run.wait() == RunExit(code=0)


async def test_an_engine_gets_exactly_the_environment_of_the_spec(
    runs_dir: Path, home_id: str
) -> None:
    """Nothing of takopi's own environment leaks; the mark and PWD are added."""
    spec = RunSpec(engine="fake", argv=("/usr/bin/env", "-0"), cwd=Path("/"), env={"A": "1\n2"})
    plain = LocalRunHost(runs_dir, home_id)
    run = await plain.start(spec)
    found = set((await everything(run)).decode().split("\0")) - {""}
    assert found == {"A=1\n2", "PWD=/", f"TAKOPI_RUN_ID={home_id}/{run.run_id}"}


async def test_no_value_of_the_environment_is_written_to_disk(
    host: LocalRunHost, runs_dir: Path
) -> None:
    """A key that an engine needs stands in no file of the run directory."""
    spec = msgspec.structs.replace(shell(":"), env={**environment(), "KEY": "canary-42"})
    run = await host.start(spec)
    await run.wait()
    for path in run.directory.iterdir():
        assert b"canary-42" not in path.read_bytes()


async def test_a_run_directory_is_private_and_says_what_was_started(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """Directory 0700, files 0600, whatever the umask; the engine keeps the person's umask."""
    before = os.umask(0o002)
    try:
        spec = shell("umask; touch made", cwd=tmp_path, record={"prompt": "hi", "n": 1})
        run = await host.start(spec)
        assert await everything(run) == b"0002\n"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o664
    assert stat.S_IMODE(run.directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in run.directory.iterdir()} == {0o600}
    plan = json.loads((run.directory / "run.json").read_text())
    assert plan["engine"] == "fake"
    assert plan["argv"] == list(spec.argv)
    assert plan["cwd"] == str(tmp_path)
    assert plan["record"] == {"prompt": "hi", "n": 1}


async def test_process_json_names_engine_and_holder(host: LocalRunHost, tmp_path: Path) -> None:
    """Pid, start time and boot id of both stand in process.json as soon as the start returns."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    run = await host.start(shell('read go < "$1"', str(fifo)))
    facts = RunDirectory(run.directory).process_facts()
    assert facts.engine is not None
    assert facts.holder is not None
    assert len(Named([facts.engine.pid, facts.holder.pid]).alive()) == 2
    assert facts.subreaper
    fifo.write_text("\n")
    await run.wait()


async def test_an_engine_has_default_signals_and_a_group_of_its_own(host: LocalRunHost) -> None:
    """What takopi ignores does not stay ignored, and terminal signals go to another group."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = await host.start(
            shell(
                'cut -d" " -f5,6 /proc/$$/stat; echo $$; '
                'exec grep -E "^Sig(Ign|Blk)" /proc/self/status'
            )
        )
        lines = (await everything(run)).decode().split()
    finally:
        signal.signal(signal.SIGINT, before)
    group, session, pid, *masks = lines
    # 32 and 33 belong to the C library.
    assert [int(mask, 16) & 0x7FFFFFFF for mask in masks[1::2]] == [0, 0]
    assert group == pid
    assert int(session) != os.getsid(0)


async def test_many_runs_get_distinct_ids_that_sort_by_time(host: LocalRunHost) -> None:
    """Ids of runs started one after another sort in that order."""
    ids = [(await host.start(shell(":"))).run_id for _ in range(3)]
    assert ids == sorted(set(ids))
    for run_id in ids:
        await host.attach(run_id).wait()


async def test_a_missing_program_is_told_with_its_install_command(
    host: LocalRunHost, runs_dir: Path
) -> None:
    """EngineMissing carries program and command, and no run directory is made."""
    spec = RunSpec(
        engine="codex",
        argv=("no-such-cli",),
        cwd=Path("/"),
        env={"PATH": "/nowhere"},
        install_cmd="npm i -g no-such-cli",
    )
    with pytest.raises(EngineMissing, match="npm i -g no-such-cli") as caught:
        await host.start(spec)
    assert caught.value.program == "no-such-cli"
    assert not list(runs_dir.iterdir())


async def test_only_the_path_of_the_spec_counts(host: LocalRunHost, tmp_path: Path) -> None:
    """A program is looked for in spec.env, relative entries below the working directory."""
    tool = tmp_path / "bin" / "tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho here\n")
    tool.chmod(0o755)
    spec = RunSpec(engine="fake", argv=("tool",), cwd=tmp_path, env={"PATH": "bin"})
    assert await everything(await host.start(spec)) == b"here\n"
    spec = msgspec.structs.replace(spec, argv=("bin/tool",))
    assert await everything(await host.start(spec)) == b"here\n"
    with pytest.raises(EngineMissing):
        await host.start(msgspec.structs.replace(spec, argv=("sh",)))


async def test_a_directory_that_is_gone_is_told_before_anything_starts(
    host: LocalRunHost, runs_dir: Path, tmp_path: Path
) -> None:
    """WorkDirMissing names the directory, and no run directory is made."""
    gone = tmp_path / "gone"
    with pytest.raises(
        WorkDirMissing,
        match=r"gone does not exist; restore it, or .* set `work_dir`",
    ):
        await host.start(shell(":", cwd=gone))
    assert not list(runs_dir.iterdir())


async def test_a_program_that_cannot_be_executed_is_told_with_the_systems_words(
    host: LocalRunHost, runs_dir: Path, tmp_path: Path
) -> None:
    """A broken interpreter line gives RunFailed with errno's text; the run is ended."""
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    spec = RunSpec(engine="fake", argv=(str(broken),), cwd=tmp_path, env=environment())
    with pytest.raises(RunFailed, match=r"broken could not be started.*No such file.*interpreter"):
        await host.start(spec)
    (directory,) = runs_dir.iterdir()
    found = await host.attach(directory.name).wait()
    assert found == RunExit(reason="the program could not be started: No such file or directory")


async def test_arguments_too_long_for_the_system_are_told(host: LocalRunHost) -> None:
    """E2BIG comes back as RunFailed, not as a hang."""
    with pytest.raises(RunFailed, match="Argument list too long"):
        await host.start(shell(":", "x" * 5_000_000))


@pytest.mark.parametrize("where", ["argv", "env"])
async def test_a_nul_character_is_refused_with_a_reason(host: LocalRunHost, where: str) -> None:
    """No program can get a NUL character, so the person is told before the start."""
    spec = shell(":")
    spec = msgspec.structs.replace(
        spec,
        **({"argv": ("sh", "a\0b")} if where == "argv" else {"env": {**spec.env, "A": "\0"}}),
    )
    with pytest.raises(RunFailed, match="NUL character"):
        await host.start(spec)


async def test_arguments_that_are_no_utf8_arrive_byte_by_byte(host: LocalRunHost) -> None:
    """A file name of any bytes can be handed to an engine."""
    run = await host.start(shell('printf %s "$1"', os.fsdecode(b"\xff\xfe/\xc3")))
    assert await everything(run) == b"\xff\xfe/\xc3"


async def test_a_full_disk_refuses_a_run(runs_dir: Path, home_id: str) -> None:
    """Below the free space that is asked for no run starts, and the text has the number."""
    host = LocalRunHost(runs_dir, home_id, limits=HostLimits(min_free_mb=10**9))
    with pytest.raises(RunFailed, match=r"needs 1000000000 MB; free some space"):
        await host.start(shell(":"))
    assert not list(runs_dir.iterdir())


async def test_a_folder_that_others_can_write_is_refused_with_the_command(
    runs_dir: Path, home_id: str
) -> None:
    """Neither a host nor a run starts in a folder that others can write."""
    runs_dir.mkdir()
    runs_dir.chmod(0o777)
    with pytest.raises(AccessError, match=f"chmod 700 {runs_dir}"):
        LocalRunHost(runs_dir, home_id)
    runs_dir.chmod(0o700)
    host = LocalRunHost(runs_dir, home_id)
    runs_dir.chmod(0o770)
    with pytest.raises(AccessError, match=f"chmod 700 {runs_dir}"):
        await host.start(shell(":"))


async def test_a_folder_that_is_gone_is_made_again(host: LocalRunHost, runs_dir: Path) -> None:
    """Somebody who clears takopi's folder does not have to start it again."""
    runs_dir.rmdir()
    assert await everything(await host.start(shell("echo x"))) == b"x\n"


async def test_a_directory_that_cannot_be_made_is_told(
    host: LocalRunHost, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk says is passed on with what to do."""
    system_open = os.open

    def full(path: object, flags: int, *more: int) -> int:
        if str(path).startswith(str(runs_dir)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return system_open(path, flags, *more)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(RunFailed, match=r"could not be made: No space left on device; free some"):
        await host.start(shell(":"))


async def test_a_holder_whose_python_cannot_be_run_is_told(
    home_id: str, runs_dir: Path, tmp_path: Path
) -> None:
    """The remedy is about that program, not about the run directory."""
    python = tmp_path / "python"
    python.write_text("")
    python.chmod(0o600)
    host = LocalRunHost(runs_dir, home_id, holder_command=(str(python), "holder.py"))
    told = f"the holder did not start: Permission denied; check that {python} is there and that"
    with pytest.raises(RunFailed, match=re.escape(told)):
        await host.start(shell(":"))


async def test_a_takopi_short_of_descriptors_says_so(
    host: LocalRunHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No holder is started without a pipe to hear it on."""

    def short() -> tuple[int, int]:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "pipe", short)
    with pytest.raises(RunFailed, match="Too many open files"):
        await host.start(shell(":"))


@pytest.mark.parametrize(("what", "error"), [("cwd", WorkDirMissing), ("program", EngineMissing)])
async def test_what_vanishes_in_the_last_moment_is_told_as_missing(
    runs_dir: Path, home_id: str, tmp_path: Path, what: str, error: type[Exception]
) -> None:
    """Between the check and the start the directory or the program may go."""
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    gone = cwd if what == "cwd" else tool
    late = ("sh", "-c", f'rm -r "{gone}"; exec "$@"', "sh", *holder_command())
    host = LocalRunHost(runs_dir, home_id, holder_command=late)
    with pytest.raises(error):
        await host.start(RunSpec(engine="fake", argv=(str(tool),), cwd=cwd, env=environment()))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ((sys.executable, "-c", "raise SystemExit('went wrong')"), "went wrong"),
        ((sys.executable, "-c", "print('[]')"), "said nothing"),
        ((sys.executable, "-c", "import sys; open(sys.argv[1] + '/claim', 'x')"), "said nothing"),
        (("/no/such/python",), "/no/such/python"),
    ],
)
async def test_a_holder_that_breaks_is_told_and_never_starts_later(
    runs_dir: Path, home_id: str, command: tuple[str, ...], said: str
) -> None:
    """RunFailed has the holder's own last words; the directory is claimed against a late start."""
    host = LocalRunHost(runs_dir, home_id, holder_command=command)
    with pytest.raises(RunFailed, match=said):
        await host.start(shell(":"))
    (directory,) = runs_dir.iterdir()
    assert not (directory / "process.json").exists()


async def test_a_start_that_is_cancelled_leaves_no_engine(
    host: LocalRunHost, tmp_path: Path, runs_dir: Path
) -> None:
    """Whoever stops waiting for a start gets neither a process nor a half-started run."""
    with anyio.move_on_after(0) as scope:
        await host.start(shell('echo x > "$1"; sleep 300', str(tmp_path / "ran")))
    assert scope.cancelled_caught
    for directory in runs_dir.iterdir():
        assert (directory / "claim").exists()


async def test_a_start_cancelled_while_the_holder_starts_ends_the_engine(
    runs_dir: Path, home_id: str, host: LocalRunHost
) -> None:
    """Also an engine that was started in that very moment is ended."""
    fifo = runs_dir.parent / "go"
    os.mkfifo(fifo)
    # The claim is taken before the start is cancelled, the engine starts after.
    script = (
        "import sys; from takopi.process import holding as h\n"
        "old = h.become_subreaper\n"
        "def slow():\n"
        "    open(sys.argv[1], 'w').close()\n"
        "    open(sys.argv[1]).read()\n"
        "    return old()\n"
        "h.become_subreaper = slow\n"
        "sys.exit(h.Holder(sys.argv[2]).main())\n"
    )
    slow = LocalRunHost(runs_dir, home_id, holder_command=(sys.executable, "-c", script, str(fifo)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(slow.start, shell("exec sleep 300"))
        await anyio.to_thread.run_sync(fifo.read_text)
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(fifo.write_text, "")
    (directory,) = runs_dir.iterdir()
    assert (await host.attach(directory.name).wait()).signal == signal.SIGINT


async def test_holders_are_no_zombies_of_takopi(host: LocalRunHost) -> None:
    """After a run's end its holder is reaped."""
    run = await host.start(shell(":"))
    facts = RunDirectory(run.directory).process_facts()
    await run.wait()
    assert not read_file(f"/proc/{facts.holder_pid}/stat")


async def test_holders_that_somebody_else_reaped_are_forgotten(host: LocalRunHost) -> None:
    """A program that reaps all its children does not disturb the host."""
    run = await host.start(shell(":"))
    holder = RunDirectory(run.directory).process_facts().holder_pid
    assert holder
    await anyio.to_thread.run_sync(os.waitpid, holder, 0)
    assert await run.wait() == RunExit(code=0)
    await (await host.start(shell(":"))).wait()


async def test_two_hosts_in_one_process_do_not_disturb_each_other(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """Each host has its own folder, notifier and holders."""
    other = LocalRunHost(tmp_path / "other", "h", holder_command=holder_command())
    one, two = await host.start(shell("echo 1")), await other.start(shell("echo 2"))
    assert (await everything(one), await everything(two)) == (b"1\n", b"2\n")


def test_one_host_serves_several_event_loops(host: LocalRunHost) -> None:
    """A host that outlives an event loop works in the next one."""

    async def once() -> bytes:
        chunks = (await host.start(shell("echo again"))).follow()
        return await first_line(chunks)

    assert anyio.run(once) == b"again\n"
    assert anyio.run(once) == b"again\n"
