"""Run codex: `codex exec --json`, the prompt on standard input.

A run cannot ask. What codex may do is its sandbox: by default it may write in the working
directory and in temporary folders, and has no network.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import msgspec
from msgspec.structs import replace

from takopi.backends import EngineBackend, EngineConfig
from takopi.core.permission_modes import accepted_modes
from takopi.desktop_sessions import DesktopSession
from takopi.engine_query import ask_engine
from takopi.model import CompletedEvent, ResumeToken, TakopiEvent
from takopi.resume_tokens import ResumeTokenMixin, check_token
from takopi.runner import JsonlSubprocessRunner
from takopi.runners._asked import asked_files, asked_mode, asked_model, asked_reasoning
from takopi.runners._codex_errors import UNKNOWN_SESSION, readable, stderr_text, with_hint
from takopi.runners._codex_events import CodexState, line_events
from takopi.runners._codex_sessions import codex_directory, list_codex_sessions
from takopi.runners._config_table import ConfigTable
from takopi.runners._extra_args import read_extra_args
from takopi.runners._native import codex_binary
from takopi.runners._pictures import is_picture
from takopi.runners.run_options import get_run_options
from takopi.schemas.codex import CodexEvent, decode_event
from takopi.turn import EngineCapabilities
from takopi.turn_context import current_request

__all__ = ["BACKEND", "ENGINE", "CodexRunner"]

ENGINE = "codex"

REASONING_LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra")
SANDBOXES = ("read-only", "workspace-write", "danger-full-access")
# A run cannot ask, so what codex would ask about is refused: then nothing is left but reading.
MODES = {
    "plan": "read-only",
    "ask": "read-only",
    "edit": "workspace-write",
    "full": "danger-full-access",
}

_OWNED = frozenset(
    {"exec", "resume", "fork", "review", "-", "--", "--json", "--last", "--all", "--ephemeral"}
    | {"-C", "--cd", "--worktree", "-m", "--model", "-s", "--sandbox", "-p", "--profile"}
    | {"-h", "--help", "-V", "--version"}
)
# What an agent that started takopi leaves behind would tie the run to that agent's session.
_INHERITED = ("CODEX_THREAD_ID", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED")


@dataclass(frozen=True)
class CodexRunner(ResumeTokenMixin, JsonlSubprocessRunner):
    """Run turns of codex.

    Args:
        model: Model; None leaves codex's own choice.
        reasoning: Reasoning effort; None leaves codex's own choice.
        profile: Name of a profile of codex's configuration.
        sandbox: What commands may do.
        extra_args: Options added to every run.
    """

    model: str | None = None
    reasoning: str | None = None
    profile: str | None = None
    sandbox: str = "workspace-write"
    extra_args: tuple[str, ...] = ()

    engine = ENGINE
    unknown_session_re = UNKNOWN_SESSION
    # Only an id: given a name that it does not know, codex silently starts a new session.
    resume_re = re.compile(
        r"^[ \t]*`?codex(?:[ \t]+exec)?[ \t]+resume[ \t]+"
        r"(?P<token>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`?[ \t]*\r?$",
        re.MULTILINE,
    )

    @property
    def capabilities(self) -> EngineCapabilities:
        """Say what a turn can ask for."""
        return EngineCapabilities(
            reasoning_levels=REASONING_LEVELS,
            permission_modes=accepted_modes(MODES, SANDBOXES),
            images=True,
        )

    def takes_file(self, path: Path) -> bool:
        """Say whether a file is a picture; codex would split a path at its commas."""
        return "," not in str(path) and is_picture(path)

    async def list_models(self) -> tuple[str, ...]:
        """List the models that codex offers, as it says."""
        return _models(await ask_engine(self, ("debug", "models")) or "")

    async def list_sessions(self, cwd: Path, limit: int) -> tuple[DesktopSession, ...]:
        """List the sessions in codex's own store."""
        return await anyio.to_thread.run_sync(list_codex_sessions, cwd, limit)

    async def session_directory(self, session: str) -> Path | None:
        """Return where codex's own store says that a session works; None when it does not."""
        return await anyio.to_thread.run_sync(codex_directory, session, abandon_on_cancel=True)

    def format_resume(self, token: ResumeToken) -> str:
        """Return the command that opens the session in codex itself, as inline code.

        Raises:
            UsageError: The token belongs to another engine.
        """
        check_token(ENGINE, token)
        return f"`codex resume {token.value}`"

    def command(self) -> str:
        """Return the program: the native one, where the one on the PATH is npm's wrapper.

        The wrapper of older versions stays as the parent, and SIGKILL on it leaves codex running.
        """
        found = shutil.which(ENGINE)
        native = codex_binary(Path(found)) if found else None
        return str(native) if native else ENGINE

    def build_args(
        self,
        prompt: str,  # noqa: ARG002 - goes by standard input
        resume: ResumeToken | None,
        *,
        state: Any,  # noqa: ARG002 - part of the hook
    ) -> list[str]:
        """Return the arguments; options stand before `resume`, which refuses some of them.

        Raises:
            UsageError: The turn asks for a permission mode or reasoning level that codex lacks.
        """
        model = asked_model(ENGINE, self.model)
        reasoning = asked_reasoning(ENGINE, self.reasoning, REASONING_LEVELS)
        sandbox = asked_mode(ENGINE, MODES, SANDBOXES) or self.sandbox
        args = ["exec", "--json", "--skip-git-repo-check", "-s", sandbox]
        if model:
            args += ["-m", model]
        if reasoning:
            args += ["-c", f'model_reasoning_effort="{reasoning}"']
        if self.profile:
            args += ["-p", self.profile]
        args += self.extra_args
        args += [f"--image={path}" for path in asked_files()]
        if resume is not None:
            args += ["resume", resume.value]
        return [*args, "-"]

    def env(self, *, state: Any) -> dict[str, str]:  # noqa: ARG002 - part of the hook
        """Return the environment without what ties a process to another codex session."""
        return {name: value for name, value in os.environ.items() if name not in _INHERITED}

    def new_state(self, prompt: str, resume: ResumeToken | None) -> CodexState:  # noqa: ARG002
        """Make the state of a run."""
        options, request = get_run_options(), current_request()
        asked = request.permission_mode if request else None
        meta = {
            "model": (options.model if options else None) or self.model,
            "cwd": str(request.cwd) if request and request.cwd else None,
            "permission_mode": (MODES | {"default": MODES["ask"]}).get(asked, asked)
            if asked
            else self.sandbox,
        }
        return CodexState(meta={key: value for key, value in meta.items() if value})

    def decode_jsonl(self, *, line: bytes) -> CodexEvent:
        """Return the event of a line."""
        return decode_event(line)

    def translate(
        self,
        data: CodexEvent,
        *,
        state: CodexState,
        resume: ResumeToken | None,  # noqa: ARG002 - part of the hook
        found_session: ResumeToken | None,  # noqa: ARG002
    ) -> list[TakopiEvent]:
        """Return the events of a line."""
        return line_events(data, state)

    def process_error_events(
        self,
        rc: int,
        *,
        resume: ResumeToken | None,
        found_session: ResumeToken | None,
        state: CodexState,
    ) -> list[TakopiEvent]:
        """Return the end of a run that failed without saying so on standard output."""
        events = super().process_error_events(
            rc, resume=resume, found_session=found_session, state=state
        )
        return [_with_answer(event, state) for event in events]

    def stream_end_events(
        self, *, resume: ResumeToken | None, found_session: ResumeToken | None, state: CodexState
    ) -> list[TakopiEvent]:
        """Return the end of a run that ended well, but without a result."""
        events = super().stream_end_events(resume=resume, found_session=found_session, state=state)
        return [_with_answer(event, state) for event in events]

    def stderr_message(self, tail: str) -> str:
        """Return what a person should read, with what to do about causes that are known."""
        return stderr_text(tail)


class _Model(msgspec.Struct):
    slug: str
    visibility: str = ""


class _Models(msgspec.Struct):
    models: tuple[_Model, ...]


def _models(printed: str) -> tuple[str, ...]:
    """Read what `codex debug models` prints; older versions have no such command."""
    try:
        found = msgspec.json.decode(printed.encode(), type=_Models).models
    except msgspec.DecodeError:
        return ()
    return tuple(model.slug for model in found if model.visibility in {"", "list"})


def _with_answer(event: TakopiEvent, state: CodexState) -> TakopiEvent:
    """Keep what was written of the answer, and the reason that codex gave before it ended."""
    assert isinstance(event, CompletedEvent)
    reason = with_hint(readable(state.problem or state.retry))
    error = f"{event.error}\n\n{reason}" if reason else event.error
    return replace(event, answer=state.answer, error=error)


def build_runner(config: EngineConfig, config_path: Path) -> CodexRunner:
    """Make the runner from the table `codex` of the configuration.

    Raises:
        ConfigError: A key is unknown, or its value is not what is accepted.
    """
    table = ConfigTable(ENGINE, config, config_path)
    runner = CodexRunner(
        model=table.text("model"),
        reasoning=table.choice("reasoning", REASONING_LEVELS),
        profile=table.text("profile"),
        sandbox=table.choice("sandbox", SANDBOXES) or "workspace-write",
        extra_args=read_extra_args(table, ENGINE, config_path, owned=_OWNED),
    )
    table.done()
    return runner


BACKEND = EngineBackend(
    id=ENGINE,
    build_runner=build_runner,
    install_cmd="npm install -g @openai/codex",
    env_pass=("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORGANIZATION", "OPENAI_PROJECT"),
)
