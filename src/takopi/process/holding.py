"""Be the holder: start one engine, feed it, wait, end what it leaves behind, write how it ended.

What it leaves in the run directory:

    claim          made with O_EXCL; a holder that finds it leaves, so one engine per directory
    process.json   who the holder and the engine are; without the engine's pid until it started
    exit.json      how the engine ended, and which background processes were ended after it

On its standard output it prints one JSON line, `{"ok": true}` or what went wrong, for the takopi
that started it; after that nobody reads and nothing is written any more. Only the standard library
is imported here, and of it only what costs little.
"""
# ruff: noqa: PTH100, SIM105 (pathlib and contextlib would cost each holder a megabyte)

import os
import select
import time

from takopi.process.feeding import Feeder
from takopi.process.frugal import decode_json, encode_json, signal, write_atomically
from takopi.process.identity import (
    PROC,
    boot_id,
    command_line,
    descendants,
    has_proc,
    read_file,
    send_signal,
    start_time,
    stat_fields,
)

__all__ = ["EXIT_CLAIMED", "EXIT_NOT_STARTED", "Holder", "become_subreaper"]

EXIT_CLAIMED = 3
EXIT_NOT_STARTED = 4

_FEED_S = 1.0  # safety net for a SIGUSR1 that got lost
_QUIET_S = 0.25  # helpers that end by themselves with their engine are no background processes
_TERM_S = 1.0
_KILL_S = 5.0
_STEP_S = 0.02
_PR_SET_CHILD_SUBREAPER = 36

# What is ignored stays ignored over exec: the engine gets the defaults, whatever takopi ignores.
_DEFAULT_SIGNALS = tuple(
    getattr(signal, f"SIG{name}")
    for name in ("HUP", "INT", "QUIT", "PIPE", "TERM", "CHLD", "USR1", "USR2", "TSTP", "XFSZ")
)


def become_subreaper() -> bool:
    """Let the orphans of the engine's tree come to this process; False where that is unknown."""
    try:
        import ctypes

        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False


def _report(value: "dict[str, object]") -> None:
    """Tell takopi, if it still listens, and let go of the pipe."""
    silence = os.open(os.devnull, os.O_RDWR)
    try:
        os.write(1, encode_json(value).encode() + b"\n")
    except OSError:
        pass
    os.dup2(silence, 1)
    os.close(silence)


class Holder:
    """Own the engine of one run directory.

    Args:
        directory: The run directory.
        proc: Where processes can be seen; a path that is not there means a system without.
    """

    def __init__(self, directory: str, proc: str = PROC) -> None:
        self._directory = os.path.abspath(directory)
        self._proc = proc
        self._pid = 0
        self._status: int | None = None
        self._childless = False
        self._feeder: Feeder | None = None
        self._wake = -1

    def main(self) -> int:
        """Do it all and return the exit status."""
        try:
            os.close(os.open(self._path("claim"), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            _report({"error": "claimed"})
            return EXIT_CLAIMED
        plan = decode_json(read_file(self._path("run.json")).decode())
        self._listen()
        facts = self._facts(become_subreaper())
        # Before the engine starts: whoever finds a claim finds its holder, too.
        write_atomically(self._path("process.json"), facts)
        try:
            self._start(plan)
        except OSError as error:
            failure = {"errno": error.errno, "text": error.strerror}
            self._write_exit({"code": None, "signal": None, "ended": [], "failure": failure})
            _report({"error": "exec", **failure})
            return EXIT_NOT_STARTED
        facts["pid"] = self._pid
        facts["start"] = self._start_of_engine()
        write_atomically(self._path("process.json"), facts)
        _report({"ok": True})
        self._serve()
        self._finish(keep_background=bool(plan["keep_background"]))
        return 0

    def _path(self, name: str) -> str:
        return f"{self._directory}/{name}"

    def _facts(self, subreaper: bool) -> "dict[str, object]":
        return {
            "boot": boot_id(self._proc),
            "holder_pid": os.getpid(),
            "holder_start": start_time(os.getpid(), self._proc),
            "subreaper": subreaper,
            "pid": None,
            "start": None,
        }

    def _start_of_engine(self) -> "str | None":
        # An engine that has ended already is a zombie of ours: its start time is still readable.
        fields = stat_fields(self._pid, self._proc)
        return fields[2] if fields else start_time(self._pid, self._proc)

    def _listen(self) -> None:
        self._wake, wake_end = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake_end, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGUSR1):
            signal.signal(number, lambda *_: None)
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        # Whoever ends the holder means the engine; its end is still written down.
        signal.signal(signal.SIGTERM, lambda *_: self._pass_on(signal.SIGTERM))

    def _pass_on(self, number: int) -> None:
        if self._pid and self._status is None:
            os.kill(self._pid, number)

    def _start(self, plan: "dict[str, object]") -> None:
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        if plan["two_way"]:
            given, feed = os.pipe()
            self._feeder = Feeder(self._path("stdin.jsonl"), feed)
        else:
            given = os.open(self._path("stdin"), os.O_RDONLY)
        out = os.open(self._path("stdout.jsonl"), append, 0o600)
        err = os.open(self._path("stderr.log"), append, 0o600)
        # Only what takopi wanted: Python adds LC_CTYPE in a C locale.
        names = plan["env"]
        assert isinstance(names, list)
        environment = {name: os.environ[name] for name in names if name in os.environ}
        try:
            os.chdir(str(plan["cwd"]))
            # A group of its own: what is sent to takopi's or the holder's group does not reach it.
            self._pid = os.posix_spawn(
                str(plan["program"]),
                plan["argv"],  # type: ignore[arg-type]
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, given, 0),
                    (os.POSIX_SPAWN_DUP2, out, 1),
                    (os.POSIX_SPAWN_DUP2, err, 2),
                ],
                setpgroup=0,
                setsigmask=(),
                setsigdef=_DEFAULT_SIGNALS,
            )
        finally:
            os.chdir("/")  # neither the project nor a mount is kept busy
            for descriptor in (given, out, err):
                os.close(descriptor)

    def _serve(self) -> None:
        while self._status is None:
            if self._feeder:
                self._feeder.feed()
            self._doze(_FEED_S if self._feeder and self._feeder.open else None)
            self._reap()
        if self._feeder:
            self._feeder.close()

    def _doze(self, limit_s: "float | None") -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        blocked_on = self._feeder.blocked_on if self._feeder else None
        if blocked_on is not None:
            poll.register(blocked_on, select.POLLOUT)
        poll.poll(None if limit_s is None else limit_s * 1000)
        try:
            os.read(self._wake, 512)
        except BlockingIOError:
            pass

    def _reap(self) -> None:
        while not self._childless:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._childless = True
                return
            if pid == 0:
                return
            if pid == self._pid:
                self._status = status

    def _finish(self, keep_background: bool) -> None:
        ended: list[str] = []
        if not keep_background:
            ended = self._end_rest() if has_proc(self._proc) else self._end_group()
        status = self._status or 0
        signalled = os.WIFSIGNALED(status)
        code = None if signalled else os.WEXITSTATUS(status)
        number = os.WTERMSIG(status) if signalled else None
        self._write_exit({"code": code, "signal": number, "ended": ended})
        # What may live on stays below this process: reaped, and found by a later cancel.
        while keep_background and not self._childless:
            self._doze(None)
            self._reap()

    def _write_exit(self, value: "dict[str, object]") -> None:
        write_atomically(self._path("exit.json"), {**value, "time": time.time()})

    def _end_rest(self) -> "list[str]":
        """End every process below this one; return the commands of those that were left to it."""
        if self._wait_childless(_QUIET_S):
            return []
        left = [pid for pid, parent, _ in self._below() if parent == os.getpid()]
        named = [command_line(pid, self._proc) for pid in left]
        for number, limit_s in ((signal.SIGTERM, _TERM_S), (signal.SIGKILL, _KILL_S)):
            deadline = time.monotonic() + limit_s
            told: set[tuple[int, str]] = set()
            while time.monotonic() < deadline:
                self._signal_rest(number, told)
                if self._wait_childless(_STEP_S):
                    return [line for line in named if line]
        return [line for line in named if line]

    def _below(self) -> "list[tuple[int, int, str]]":
        return descendants(os.getpid(), self._proc)

    def _signal_rest(self, number: int, told: "set[tuple[int, str]]") -> None:
        """Signal each process below this one that was not told yet."""
        for pid, _, start in self._below():
            if (pid, start) not in told:
                told.add((pid, start))
                send_signal(pid, start, number)

    def _end_group(self) -> "list[str]":
        """End the engine's group: without /proc the rest is takopi's to find."""
        for number, limit_s in ((signal.SIGTERM, _TERM_S), (signal.SIGKILL, 0.0)):
            deadline = time.monotonic() + limit_s
            try:
                os.killpg(self._pid, number)
                while time.monotonic() < deadline:
                    time.sleep(_STEP_S)
                    self._reap()  # the dead count as members until then
                    os.killpg(self._pid, 0)
            except OSError:  # nobody is left in the group
                break
        return []

    def _wait_childless(self, limit_s: float) -> bool:
        """Wait until nobody is left below this process; False when the time is over first."""
        deadline = time.monotonic() + limit_s
        while True:
            self._reap()
            left_s = deadline - time.monotonic()
            if self._childless or left_s <= 0:
                return self._childless
            self._doze(left_s)
