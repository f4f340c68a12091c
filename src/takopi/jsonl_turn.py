"""Follow the process of one turn from its file, and feed what it prints to the fold."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from msgspec.structs import replace

from takopi.backends import EngineBackend
from takopi.core.engine_env import engine_environment
from takopi.core.texts import tr, translated
from takopi.errors import PromptRefused, RunIdTaken, TakopiError
from takopi.jsonl_fold import CANCELLED, JsonlFold
from takopi.live_turn import SETTLE_S, TurnBase
from takopi.logging import get_logger
from takopi.model import EngineId, ResumeToken, TakopiEvent
from takopi.run_host import Run, RunSpec
from takopi.runner_runtime import RunnerRuntime, current_runtime
from takopi.turn import TurnRequest
from takopi.turn_context import bind_request, current_request
from takopi.utils.paths import get_run_base_dir

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from takopi.jsonl_runner import JsonlSubprocessRunner

__all__ = ["MAX_ARG_BYTES", "JsonlTurn", "environment_of"]

_log = get_logger(__name__)

# Linux refuses an argument of 128 KiB and more; the rest is for what the engine adds to it.
MAX_ARG_BYTES = 100 * 1024

_OPTIONAL = ("resume", "model", "reasoning", "permission_mode")


class JsonlTurn(TurnBase):
    """Be a turn of a command that prints JSON lines.

    Args:
        runner: Brings the hooks.
        request: What the turn is to do; the hooks see it as the current request.
        locked: Whether the session's lock is taken here.
        adopted: The run of a turn that an earlier takopi began; it is followed from its start, and
            the hooks that prepare a start are not called.
    """

    def __init__(
        self,
        runner: "JsonlSubprocessRunner",
        request: TurnRequest,
        *,
        locked: bool = True,
        adopted: Run | None = None,
    ) -> None:
        super().__init__(runner.engine, request, locked=locked, adopted=adopted is not None)
        self._runner = runner
        self._base_dir = get_run_base_dir()
        self._inside = current_request() is not None  # a turn that another one is made of
        self._fold: JsonlFold | None = None
        self._run = self._adopted = adopted
        self._chunks: AsyncIterator[bytes] | None = None
        self._output_bytes = 0
        self._starting = False
        self._following: anyio.CancelScope | None = None  # what a detaching cuts short

    @property
    def run_id(self) -> str | None:
        """Give the run directory's name once the engine was started; None without one."""
        return None if self._run is None else self._run.run_id

    @property
    def output_bytes(self) -> int:
        """Count what the engine has printed so far."""
        return self._output_bytes

    @property
    def session_unknown(self) -> bool:
        """Tell that the turn failed because the engine does not know the session asked for."""
        return self._fold is not None and self._fold.session_unknown

    def detach(self) -> bool:
        """Leave the engine to itself; False when none was started, or its end has begun."""
        if self._released is not None or (self._run is None and not self._starting):
            return False
        self._detached = True
        for scope in (self._following, self._waiting):
            if scope is not None:
                scope.cancel()
        return True

    async def _advance(self) -> list[TakopiEvent]:
        if self._fold is None or self._run is None or self._chunks is None:
            return await self._begin()
        chunk: bytes | None = None
        with anyio.CancelScope() as self._following:
            chunk = await anext(self._chunks, None)
        self._following = None
        self._leave_if_detached()
        if chunk is not None:
            self._output_bytes += len(chunk)
            events = self._fold.feed(chunk)
        else:
            events = await self._end(self._fold, self._run)
        if self._fold.aborted:
            await self._stop()
        return events

    async def _end(self, fold: JsonlFold, run: Run) -> list[TakopiEvent]:
        end = await run.wait()
        cancelled = translated(CANCELLED) if self._interrupted else None
        self._lost = end.lost and cancelled is None and fold.rules.completed is None
        return fold.finish(
            end.returncode, stderr=run.stderr_tail(), ended_because=cancelled or end.reason
        )

    async def _begin(self) -> list[TakopiEvent]:
        if not await self._take_known_session():
            return []
        run = self._adopted
        if run is not None:
            self._take_fold(_as_started(self.rules.engine, self.request, run.record))
        else:
            run = await self._start()
            if run is None:
                return self._fail(translated(CANCELLED))
        self._chunks = run.follow()
        if self._cut_short():
            await self._stop()
        return []

    def _take_fold(self, request: TurnRequest) -> JsonlFold:
        fold = self._fold = JsonlFold(self._runner, request)
        self.rules = fold.rules
        return fold

    async def _start(self) -> Run | None:
        """Start the engine; None when the turn was interrupted before."""
        runtime = current_runtime()
        fold = self._take_fold(self.request)
        spec = self._spec(fold, runtime, await self._directory(runtime))
        if self._cut_short():
            return None
        self._starting = True
        try:
            with anyio.CancelScope(shield=True):  # cut short, it would leave a process
                self._run = await _start_once(runtime, spec, again=self._inside)
        finally:
            self._starting = False
        self._leave_if_detached()
        return self._run

    def _spec(self, fold: JsonlFold, runtime: RunnerRuntime, cwd: Path) -> RunSpec:
        runner, request, state = self._runner, self.request, fold.state
        prompt, resume = request.prompt, request.resume
        with bind_request(request):
            runner.start_run(prompt, resume, state=state)
            argv = (runner.command(), *runner.build_args(prompt, resume, state=state))
            stdin = runner.stdin_payload(prompt, resume, state=state)
            piped = runner.pipes_stdin()
            hook = runner.env(state=state)
        _check_argv(runner.engine, argv)
        env = environment_of(runner, runtime.env_pass.get(runner.engine), hook)
        return RunSpec(
            engine=runner.engine,
            argv=argv,
            cwd=cwd,
            env={**env, **request.environment},
            stdin=stdin or b"",
            piped=piped,
            install_cmd=_install_cmd(runner, runtime),
            keep_background=runner.engine in runtime.keep_background,
            record=_record(request),
            run_id=request.run_id,
            on_directory=self._note_run,
        )

    async def _directory(self, runtime: RunnerRuntime) -> Path:
        """Return the directory in which the session was started; it resumes nowhere else."""
        asked = self.request.resume
        if asked is not None:
            # Reads run directories, of which there may be thousands.
            known = await anyio.to_thread.run_sync(runtime.host.session_cwd, asked)
            if known is not None:
                return known
        return self.request.cwd or self._base_dir or Path.cwd()

    def _note_run(self, directory: Path) -> None:
        """Let others see that the session is used, also when this takopi is gone."""
        if self._hold is not None:
            self._hold.note_run(directory)

    def _session_known(self, token: ResumeToken) -> None:
        try:
            if self._run is not None:
                self._note_run(self._run.directory)
                self._run.note_session(token)
        except OSError as error:  # the disk is full: the answer matters more
            _log.warning("session.not_noted", run_id=self.run_id, error=str(error))

    async def _stop(self) -> None:
        if self._run is None or self._detached:
            return
        try:
            with anyio.CancelScope(shield=True), anyio.move_on_after(self.close_limit_s):
                await self._run.cancel()
        except (TakopiError, OSError) as error:  # closing the turn tries again
            _log.error("run.not_ended", run_id=self.run_id, error=str(error))

    async def _finish(self, *, normal: bool) -> None:
        if self._run is None:
            return
        if self._detached:
            _log.info("turn.detached", run_id=self.run_id, engine=self.rules.engine)
        elif normal and not (self._fold and self._fold.aborted):
            self._ended_background = (await self._run.settle(SETTLE_S)).ended
        else:
            await self._run.cancel()
        close = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()


async def _start_once(runtime: RunnerRuntime, spec: RunSpec, *, again: bool) -> Run:
    """Start a run; under an id of its own when `again`, and the wanted one was used.

    A turn that is made of several runs, as when a plug-in tries twice, has one id to give.
    """
    try:
        return await runtime.host.start(spec)
    except RunIdTaken:
        if not again:
            raise
    return await runtime.host.start(replace(spec, run_id=None))


def environment_of(
    runner: "JsonlSubprocessRunner",
    passes: Sequence[str] | None,
    hook: Mapping[str, str | None] | None,
) -> dict[str, str]:
    """Return the whole environment of a runner's program.

    Args:
        runner: Whose program it is.
        passes: Variables that the configuration lets pass; None means those of the backend.
        hook: What the runner's `env` hook returned.
    """
    if passes is None:
        backend = _backend_beside(runner)
        passes = backend.env_pass if backend else ()
    return engine_environment(os.environ, engine=runner.engine, passes=passes, hook=hook)


def _check_argv(engine: str, argv: tuple[str, ...]) -> None:
    for argument in argv:
        size = len(argument.encode("utf-8", "surrogateescape"))
        if size > MAX_ARG_BYTES:
            raise PromptRefused(
                tr(
                    "the prompt is too long for {engine}: {size} KiB, and it takes at most {most} "
                    "KiB; put the text into a file and ask to read that",
                    engine=engine,
                    size=size // 1024,
                    most=MAX_ARG_BYTES // 1024,
                )
            )
        if "\0" in argument:
            raise PromptRefused(
                tr(
                    "the prompt has a NUL character, which {engine} cannot take; remove it",
                    engine=engine,
                )
            )


def _install_cmd(runner: "JsonlSubprocessRunner", runtime: RunnerRuntime) -> str | None:
    if runner.engine in runtime.install_cmd:
        return runtime.install_cmd[runner.engine]
    backend = _backend_beside(runner)
    return backend.install_cmd if backend else None


def _backend_beside(runner: "JsonlSubprocessRunner") -> EngineBackend | None:
    """Find the BACKEND of a runner where no application names it.

    It is looked for in the module of the runner's class and in the packages around that.
    """
    name = type(runner).__module__
    while name:
        backend = getattr(sys.modules.get(name), "BACKEND", None)
        if isinstance(backend, EngineBackend) and backend.id == runner.engine:
            return backend
        name = name.rpartition(".")[0]
    return None


def _as_started(
    engine: EngineId, request: TurnRequest, record: Mapping[str, object]
) -> TurnRequest:
    """Return a request with what its engine was started with, where `_record` wrote that down.

    The hooks must see what they saw then; by now the session of a new one is known, for instance.
    """
    asked = {name: value for name in _OPTIONAL if isinstance(value := record.get(name), str)}
    prompt, resume = record.get("prompt"), asked.pop("resume", None)
    if not isinstance(prompt, str):
        return request
    return replace(
        request,
        prompt=prompt,
        resume=None if resume is None else ResumeToken(engine, resume),
        **{name: asked.get(name) for name in _OPTIONAL[1:]},
    )


def _record(request: TurnRequest) -> dict[str, object]:
    asked = {
        "prompt": request.prompt,
        "resume": request.resume.value if request.resume else None,
        "model": request.model,
        "reasoning": request.reasoning,
        "permission_mode": request.permission_mode,
    }
    return {**{k: v for k, v in asked.items() if v is not None}, **request.record}
