"""Run git without waiting for ever, without questions, and without what a repository would run.

A repository's configuration can name programs: hooks, a file-system monitor, pagers, differs, ssh.
Looking at a repository must run none of them, for it may have been written by an agent that is
locked in its folder. What changes the repository for a person runs their hooks, as git would.
Filters (`filter.<name>.clean`) run in both: without them git would compare and keep other bytes
than the repository has.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE

import anyio
import msgspec
from anyio.abc import Process

from takopi.core.texts import tr
from takopi.errors import GitRefused, GitTooSlow

__all__ = ["GitAnswer", "GitProgram", "git_words"]

_MAX_ERROR_BYTES = 64 * 1024
_CHUNK = 256 * 1024
_PIPE_GRACE_S = 0.5
_TERMINATE_GRACE_S = 2.0
_KILL_GRACE_S = 5.0

# What no command of takopi wants.
_ALWAYS = {
    "core.fsmonitor": "false",
    "core.pager": "cat",
    "core.quotePath": "false",
    "core.safecrlf": "false",
    "gc.auto": "0",
    "log.showSignature": "false",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
}
# And what those must not start that a person did not ask for.
_QUIET = {"core.hooksPath": os.devnull}

_ENVIRONMENT = {
    "GIT_ASKPASS": "true",
    "GIT_EDITOR": "true",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
    "SSH_ASKPASS_REQUIRE": "never",
}
# In a partial clone even a look may want to fetch, and ssh is a program of the configuration.
_QUIET_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_LITERAL_PATHSPECS": "1",  # not for hooks, whose own git commands it would change
    "GIT_NO_LAZY_FETCH": "1",
}


class GitAnswer(msgspec.Struct, frozen=True):
    """Hold how a git command ended.

    Args:
        code: Its exit status.
        out: What it printed, up to the limit.
        said: Its errors and warnings.
        cut: It would have printed more and was ended.
    """

    code: int
    out: bytes
    said: str
    cut: bool = False

    @property
    def ok(self) -> bool:
        """Say whether it ended well; one that was cut did."""
        return self.code == 0 or self.cut

    @property
    def text(self) -> str:
        """Give what it printed as text that can name files, without the last line's end."""
        return os.fsdecode(self.out).removesuffix("\n")

    @property
    def records(self) -> tuple[str, ...]:
        """Give what it printed with `-z`, one text for each record."""
        return tuple(os.fsdecode(self.out).split("\0")[:-1])


class GitProgram(msgspec.Struct, frozen=True):
    """Run git with limits.

    Args:
        quiet_s: Seconds that a command may take that starts no hooks.
        hooked_s: Seconds for one with the hooks that come after it.
        commit_s: Seconds for a commit, in which hooks may run a project's tests.
        max_bytes: How much a command may print.
    """

    quiet_s: float = 60.0
    hooked_s: float = 120.0
    commit_s: float = 300.0
    max_bytes: int = 64 * 1024 * 1024

    async def quiet(
        self,
        args: Sequence[str],
        cwd: Path,
        *,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        max_bytes: int | None = None,
    ) -> GitAnswer:
        """Run a command that triggers nothing of the repository, whatever it answers.

        Args:
            args: Everything after `git`.
            cwd: Where; it must exist.
            env: Variables over those of takopi.
            stdin: What it reads.
            max_bytes: Ends it when it printed so much.

        Raises:
            GitRefused: git cannot be started.
            GitTooSlow: It took too long.
        """
        more = {**_environment(_ALWAYS | _QUIET), **_QUIET_ENVIRONMENT, **(env or {})}
        limits = _Limits(self.quiet_s, max_bytes or self.max_bytes, None)
        return await self._run(args, cwd, more, stdin, limits)

    async def hooked(
        self,
        args: Sequence[str],
        cwd: Path,
        *,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        limit_s: float | None = None,
    ) -> GitAnswer:
        """Run a command that a person asked for, with the hooks they have for it.

        Args:
            args: Everything after `git`.
            cwd: Where; it must exist.
            env: Variables over those of takopi.
            stdin: What it reads.
            limit_s: Seconds, when those of a change are too few.

        Raises:
            GitRefused: git cannot be started.
            GitTooSlow: It took too long.
        """
        more = {**_environment(_ALWAYS), **(env or {})}
        limits = _Limits(limit_s or self.hooked_s, self.max_bytes, _PIPE_GRACE_S)
        return await self._run(args, cwd, more, stdin, limits)

    async def _run(
        self,
        args: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        stdin: bytes,
        limits: "_Limits",
    ) -> GitAnswer:
        pipes = _Pipes.made()
        try:
            with anyio.CancelScope(shield=True):  # a process that nobody knows ends nobody
                process = await _started(args, cwd, env, pipes, asks=bool(stdin))
            conversation = _Conversation(process, pipes, limits)
            try:
                with anyio.fail_after(limits.seconds):
                    return await conversation.hold(stdin)
            except TimeoutError as error:
                raise GitTooSlow(
                    tr(
                        "`git {command}` was ended after {count} s; look whether a hook of the "
                        "repository or its disk hangs, then try again.",
                        command=args[0],
                        count=f"{limits.seconds:g}",
                    )
                ) from error
            finally:
                with anyio.CancelScope(shield=True):
                    await conversation.end()
        finally:
            pipes.close()


class _Pipes:
    """Hold the pipes that git prints into; ours, so that no leftover of a hook keeps them open."""

    def __init__(self, out: tuple[int, int], said: tuple[int, int]) -> None:
        self.out, self.out_end = out
        self.said, self.said_end = said
        self._open = {*out, *said}

    @classmethod
    def made(cls) -> "_Pipes":
        """Make both; reading never waits."""
        pipes = cls(os.pipe(), os.pipe())
        os.set_blocking(pipes.out, False)
        os.set_blocking(pipes.said, False)
        return pipes

    def close_ends(self) -> None:
        """Close what git has got, or its end would never be seen."""
        self._close({self.out_end, self.said_end})

    def close(self) -> None:
        """Close all that is open."""
        self._close({*self._open})

    def _close(self, which: set[int]) -> None:
        for number in which & self._open:
            os.close(number)
            self._open.remove(number)


async def _started(
    args: Sequence[str], cwd: Path, env: Mapping[str, str], pipes: _Pipes, *, asks: bool
) -> Process:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return await anyio.open_process(
            ["git", "--no-pager", *args],
            cwd=cwd,
            env=clean | _ENVIRONMENT | dict(env),
            stdin=PIPE if asks else DEVNULL,
            stdout=pipes.out_end,
            stderr=pipes.said_end,
            start_new_session=True,  # no terminal to ask at, and hooks end with it
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        if not await anyio.Path(cwd).is_dir():
            text = tr("The folder {path} is gone; restore it, then try again.", path=cwd)
            raise GitRefused(text) from error
        text = tr("git is not installed here; install it, then try again.")
        raise GitRefused(text) from error
    except (OSError, ValueError) as error:
        text = tr("git could not be started ({error}); try again.", error=error)
        raise GitRefused(text) from error
    finally:
        pipes.close_ends()


class _Limits(msgspec.Struct, frozen=True):
    seconds: float
    max_bytes: int
    pipe_grace_s: float | None


class _Conversation:
    """Talk to one git process until it ends or is ended."""

    def __init__(self, process: Process, pipes: _Pipes, limits: _Limits) -> None:
        self._process = process
        self._pipes = pipes
        self._limits = limits
        self._out = bytearray()
        self._said = bytearray()
        self._cut = False

    async def hold(self, stdin: bytes) -> GitAnswer:
        """Write what it reads, read what it prints, and wait for its end."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._write, stdin)
            group.start_soon(self._read_out)
            group.start_soon(self._read_said)
            code = await self._process.wait()
            if self._limits.pipe_grace_s is not None:
                # Something that a hook left running may hold the pipes open for ever.
                group.cancel_scope.deadline = anyio.current_time() + self._limits.pipe_grace_s
        said = self._said.decode("utf-8", "replace")
        out = bytes(self._out[: self._limits.max_bytes])
        return GitAnswer(code, out, said.strip(), self._cut)

    async def _write(self, stdin: bytes) -> None:
        if self._process.stdin is None:
            return
        try:
            await self._process.stdin.send(stdin)
            await self._process.stdin.aclose()
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # it did not want to read; its status says why

    async def _read_out(self) -> None:
        while chunk := await _read(self._pipes.out):
            self._out += chunk
            if len(self._out) > self._limits.max_bytes:
                self._cut = True
                self._signal(signal.SIGTERM)
                return

    async def _read_said(self) -> None:
        while chunk := await _read(self._pipes.said):
            # Read on past the limit, or it would wait for a reader.
            self._said += chunk[: max(0, _MAX_ERROR_BYTES - len(self._said))]

    async def end(self) -> None:
        """End it and all it started in its session, softly first so that it removes its locks."""
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
            with anyio.move_on_after(_TERMINATE_GRACE_S):
                await self._process.wait()
            self._signal(signal.SIGKILL)
            with anyio.move_on_after(_KILL_GRACE_S):  # a dead disk keeps even a killed one
                await self._process.wait()
        if self._process.stdin is not None:
            await self._process.stdin.aclose()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):  # it ended by itself
            os.killpg(self._process.pid, number)


async def _read(pipe: int) -> bytes:
    await anyio.wait_readable(pipe)
    try:
        return os.read(pipe, _CHUNK)
    except BlockingIOError:  # pragma: no cover - a wake-up without need
        return await _read(pipe)


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    # By the environment and not by `-c`: so it also reaches what git starts in submodules.
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        found[f"GIT_CONFIG_KEY_{number}"] = key
        found[f"GIT_CONFIG_VALUE_{number}"] = value
    return found


def git_words(answer: GitAnswer) -> str:
    """Give git's own words for a refusal, short enough for a chat."""
    if answer.cut:
        return tr("it has more to tell than can be read")
    said = answer.said or answer.out[-4096:].decode("utf-8", "replace")
    lines = [line for line in said.splitlines() if not line.startswith("hint:")]
    words = " ".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in lines)
    printable = "".join(letter if letter.isprintable() else " " for letter in words).strip()
    shown = printable if len(printable) <= 600 else f"{printable[:599]}…"
    return shown or tr("exit status {code}", code=answer.code)
