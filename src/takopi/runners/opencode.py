"""Run opencode: `opencode run --format json`, the prompt on standard input.

What it may do without asking is the person's own `permission` table in opencode.json. A run cannot
ask, so opencode refuses what is set to "ask" and stops there with exit status 0; takopi turns that
into an error that names the setting.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread

from takopi.backends import EngineBackend, EngineConfig
from takopi.core.permission_modes import accepted_modes
from takopi.core.stderr_text import useful_end
from takopi.core.texts import tr
from takopi.desktop_sessions import DesktopSession
from takopi.engine_query import ask_engine
from takopi.errors import UsageError
from takopi.model import ResumeToken, TakopiEvent
from takopi.resume_tokens import ResumeTokenMixin, check_token
from takopi.runner import JsonlSubprocessRunner
from takopi.runners._asked import asked_files, asked_mode, asked_model
from takopi.runners._config_table import ConfigTable
from takopi.runners._exit_text import exit_text
from takopi.runners._extra_args import read_extra_args
from takopi.runners._opencode_events import OpencodeState, end_events, line_events
from takopi.runners._opencode_sessions import list_opencode_sessions, opencode_directory
from takopi.runners._pictures import is_picture
from takopi.runners.run_options import get_run_options
from takopi.schemas.opencode import OpencodeEvent, decode_event
from takopi.turn import EngineCapabilities

__all__ = ["BACKEND", "ENGINE", "OpencodeRunner"]

ENGINE = "opencode"

# Usual names of variants. A model has some of them, or others: opencode ignores what it lacks.
VARIANTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
MODES = {"plan": "plan", "ask": "ask", "edit": "edit", "full": "auto"}
# What a mode changes of the person's own table; the plan agent alone still does what that allows.
_PERMISSIONS = {"plan": {"edit": "deny", "bash": "deny"}, "edit": {"edit": "allow"}}
_PERMISSION = "OPENCODE_PERMISSION"

_OWNED = frozenset(
    {"--format", "--session", "-s", "--continue", "-c", "--fork", "--attach", "--dir"}
    | {"--interactive", "-i", "--command", "--help", "-h", "--version", "-v", "--"}
)
_UNKNOWN_SESSION = re.compile(r"Session not found")
_VARIANT = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")
_MODEL = re.compile(r"[^\s/]+/\S+")
_REFUSED = re.compile(r"permission requested: (?P<name>\S+) \((?P<what>.*)\); auto-rejecting")


@dataclass(frozen=True)
class OpencodeRunner(ResumeTokenMixin, JsonlSubprocessRunner):
    """Run turns of opencode.

    Args:
        model: `provider/model`; None leaves opencode's own choice.
        reasoning: Name of a variant of the model (`--variant`).
        thinking: Whether the model's reasoning is shown.
        extra_args: Options added to every run.
    """

    model: str | None = None
    reasoning: str | None = None
    thinking: bool = True
    extra_args: tuple[str, ...] = ()

    engine = ENGINE
    unknown_session_re = _UNKNOWN_SESSION
    resume_re = re.compile(
        r"^[ \t]*`?opencode(?:[ \t]+run)?[ \t]+(?:--session|-s)[ \t=]+"
        r"(?P<token>ses_[A-Za-z0-9]{1,64})`?[ \t]*\r?$",
        re.MULTILINE,
    )

    @property
    def capabilities(self) -> EngineCapabilities:
        """Say what a turn can ask for."""
        return EngineCapabilities(
            reasoning_levels=VARIANTS,
            permission_modes=accepted_modes(MODES, ("auto",)),
            images=True,
        )

    def takes_file(self, path: Path) -> bool:
        """Say whether a file is a picture."""
        return is_picture(path)

    async def list_models(self) -> tuple[str, ...]:
        """List the models that opencode can use, as it says."""
        printed = await ask_engine(self, ("models",)) or ""
        return tuple(line for line in printed.split("\n") if _MODEL.fullmatch(line))

    async def list_sessions(self, cwd: Path, limit: int) -> tuple[DesktopSession, ...]:
        """List the sessions in opencode's own store."""
        return await anyio.to_thread.run_sync(list_opencode_sessions, cwd, limit)

    async def session_directory(self, session: str) -> Path | None:
        """Return where opencode's own store says that a session works; None when it does not."""
        return await anyio.to_thread.run_sync(opencode_directory, session, abandon_on_cancel=True)

    def format_resume(self, token: ResumeToken) -> str:
        """Return the command that opens the session in opencode itself, as inline code.

        Raises:
            UsageError: The token belongs to another engine.
        """
        check_token(ENGINE, token)
        return f"`opencode --session {token.value}`"

    def command(self) -> str:
        """Return the program."""
        return ENGINE

    def build_args(
        self,
        prompt: str,  # noqa: ARG002 - goes by standard input: in argv opencode wraps it in quotes
        resume: ResumeToken | None,
        *,
        state: Any,  # noqa: ARG002 - part of the hook
    ) -> list[str]:
        """Return the arguments; the prompt is not among them.

        Raises:
            UsageError: The turn asks for what cannot be a model, variant or mode of opencode.
        """
        model, variant = asked_model(ENGINE, self.model), _asked_variant(self.reasoning)
        mode = asked_mode(ENGINE, MODES, ("auto",))
        if model and not _MODEL.fullmatch(model):
            raise UsageError(
                tr("{model} cannot be a model of opencode; name it like `openai/gpt-5`, as "
                   "`opencode models` lists them", model=repr(model))
            )  # fmt: skip
        args = ["run", "--format", "json", *self.extra_args]
        if mode == "plan":
            args.append("--agent=plan")
        elif mode == "auto" and "--auto" not in args:
            args.append("--auto")
        if self.thinking:
            args.append("--thinking")
        if model:
            args += ["--model", model]
        if variant:
            args += ["--variant", variant]
        if resume is not None:
            args += ["--session", resume.value]
        return [*args, *(f"--file={path}" for path in asked_files())]

    def env(self, *, state: Any) -> dict[str, str] | None:  # noqa: ARG002 - part of the hook
        """Return the environment with the permissions of the mode that the turn asks for."""
        changes = _PERMISSIONS.get(asked_mode(ENGINE, MODES, ("auto",)) or "")
        if changes is None:
            return None
        permissions = _own_permissions() | changes
        return {**os.environ, _PERMISSION: json.dumps(permissions)}

    def new_state(self, prompt: str, resume: ResumeToken | None) -> OpencodeState:  # noqa: ARG002
        """Make the state of a run; opencode does not say which model answers."""
        options = get_run_options()
        return OpencodeState(model=(options.model if options else None) or self.model or "")

    def decode_jsonl(self, *, line: bytes) -> OpencodeEvent:
        """Return the event of a line."""
        return decode_event(line)

    def translate(
        self,
        data: OpencodeEvent,
        *,
        state: OpencodeState,
        resume: ResumeToken | None,  # noqa: ARG002 - part of the hook
        found_session: ResumeToken | None,  # noqa: ARG002
    ) -> list[TakopiEvent]:
        """Return the events of a line."""
        return line_events(data, state)

    def stream_end_events(
        self,
        *,
        resume: ResumeToken | None,
        found_session: ResumeToken | None,
        state: OpencodeState,
    ) -> list[TakopiEvent]:
        """Return the end: the process has no event for it, it just exits."""
        return end_events(state, session=found_session or resume, status="")

    def process_error_events(
        self,
        rc: int,
        *,
        resume: ResumeToken | None,
        found_session: ResumeToken | None,
        state: OpencodeState,
    ) -> list[TakopiEvent]:
        """Return the end of a run that failed."""
        return end_events(state, session=found_session or resume, status=exit_text(rc))

    def stderr_message(self, tail: str) -> str:
        """Return what a person should read, with what to do about causes that are known."""
        lines = [
            f"Set `permission.{refused['name']}` to `allow` in opencode.json to let it "
            f"({refused['what']})."
            for refused in _REFUSED.finditer(tail)
        ]
        if lines:
            return "\n".join(dict.fromkeys(lines))
        text = useful_end(tail)
        if "Session not found" in text:
            text += (
                "\nopencode does not know this session, or it was deleted. "
                "Send the prompt without the resume line to start a new one."
            )
        return text


def _asked_variant(configured: str | None) -> str | None:
    options = get_run_options()
    variant = (options.reasoning if options else None) or configured
    if variant is not None and not _VARIANT.fullmatch(variant):
        raise UsageError(
            tr("opencode has no reasoning level {level}; use a variant of the model, usually "
               "one of {accepted}", level=repr(variant), accepted=", ".join(VARIANTS))
        )  # fmt: skip
    return variant


def _own_permissions() -> dict[str, Any]:
    """Return what the person's own variable says; opencode adds it to the table."""
    try:
        found = json.loads(os.environ.get(_PERMISSION) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def build_runner(config: EngineConfig, config_path: Path) -> OpencodeRunner:
    """Make the runner from the table `opencode` of the configuration.

    Raises:
        ConfigError: A key is unknown, or its value is not what is accepted.
    """
    table = ConfigTable(ENGINE, config, config_path)
    runner = OpencodeRunner(
        model=table.text("model"),
        reasoning=table.text("reasoning"),
        thinking=table.flag("thinking", default=True),
        extra_args=read_extra_args(table, ENGINE, config_path, owned=_OWNED),
    )
    table.done()
    return runner


BACKEND = EngineBackend(
    id=ENGINE, build_runner=build_runner, install_cmd="npm install -g opencode-ai"
)
