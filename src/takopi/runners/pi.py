"""Run pi: `pi --print --mode json`, the prompt on standard input.

pi asks for nothing: it may read, write and run whatever its user may.

Standard input is what pi 0.87 and 0.99 take verbatim, but for blanks at both ends; a prompt in argv
would be a file name when it begins with "@", and is limited by the system.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from takopi.backends import EngineBackend, EngineConfig
from takopi.core.permission_modes import accepted_modes
from takopi.core.stderr_text import useful_end
from takopi.desktop_sessions import DesktopSession
from takopi.engine_query import ask_engine
from takopi.errors import PromptRefused
from takopi.model import ResumeToken, StartedEvent, TakopiEvent
from takopi.resume_tokens import ResumeTokenMixin, check_token
from takopi.runner import JsonlSubprocessRunner
from takopi.runners._asked import asked_files, asked_mode, asked_model, asked_reasoning
from takopi.runners._config_table import ConfigTable
from takopi.runners._exit_text import exit_text
from takopi.runners._extra_args import read_extra_args
from takopi.runners._pi_events import PiState, final_events, line_events
from takopi.runners._pi_sessions import list_pi_sessions, pi_directory
from takopi.runners._pictures import is_picture
from takopi.schemas.pi import PiEvent, decode_event
from takopi.turn import EngineCapabilities
from takopi.turn_context import current_request

__all__ = ["BACKEND", "ENGINE", "LEVELS", "PiRunner"]

ENGINE = "pi"
LEVELS = ("off", "minimal", "low", "medium", "high", "xhigh", "max")
# pi has no permissions and asks for nothing, so a mode is what is left of its tools.
_READING = "read,grep,find,ls"
MODES = {"plan": _READING, "edit": f"{_READING},edit,write", "full": ""}

_OWNED = frozenset(
    {"--print", "-p", "--mode", "--session", "--session-id", "--continue", "-c", "--resume", "-r"}
    | {"--fork", "--no-session", "--export", "--list-models", "--help", "-h", "--version", "-v"}
    | {"--"}
)
_LIST_MODELS = ("--list-models",)
# What the public takopi kept of an id. Sessions that began within a minute may share it.
_SHORT = re.compile(r"[0-9a-fA-F]{8}")
_LOOKED_AT = 1000
_NODE_VERSION = re.compile(r"^Node\.js (v\d+\S*)", re.MULTILINE)
_NO_NODE = re.compile(r"env: .?node.?: No such file")
_UNKNOWN_SESSION = re.compile(r"No session found matching")
_OTHER_DIRECTORY = re.compile(r"Session found in different project: (.+)")


@dataclass(frozen=True)
class PiRunner(ResumeTokenMixin, JsonlSubprocessRunner):
    """Run turns of pi.

    Args:
        model: Model, or a pattern that pi understands; None leaves pi's own choice.
        provider: Provider of the model.
        reasoning: One of `LEVELS`.
        extra_args: Options added to every run.
    """

    model: str | None = None
    provider: str | None = None
    reasoning: str | None = None
    extra_args: tuple[str, ...] = ()

    engine = ENGINE
    unknown_session_re = _UNKNOWN_SESSION
    # A whole id, or its beginning as the public takopi wrote it. pi would also take the path of a
    # file, and other beginnings.
    resume_re = re.compile(
        r"^[ \t]*`?pi[ \t]+--session[ \t=]+"
        r"(?P<token>[0-9a-fA-F]{8}(?:(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?)`?[ \t]*\r?$",
        re.MULTILINE,
    )

    @property
    def capabilities(self) -> EngineCapabilities:
        """Say what a turn can ask for."""
        return EngineCapabilities(
            reasoning_levels=LEVELS, permission_modes=accepted_modes(MODES), images=True
        )

    def takes_file(self, path: Path) -> bool:
        """Say whether a file is a picture."""
        return is_picture(path)

    async def list_models(self) -> tuple[str, ...]:
        """List the models for which pi has a login, as it says."""
        rows = [row.split() for row in (await ask_engine(self, _LIST_MODELS) or "").split("\n")]
        if not rows or rows[0][:2] != ["provider", "model"]:
            return ()
        return tuple(f"{row[0]}/{row[1]}" for row in rows[1:] if len(row) > 2)

    async def list_sessions(self, cwd: Path, limit: int) -> tuple[DesktopSession, ...]:
        """List the sessions in pi's own store."""
        return await anyio.to_thread.run_sync(list_pi_sessions, cwd, limit)

    async def session_directory(self, session: str) -> Path | None:
        """Return where pi's own store says that a session works; None when it does not."""
        return await anyio.to_thread.run_sync(pi_directory, session, abandon_on_cancel=True)

    def format_resume(self, token: ResumeToken) -> str:
        """Return the command that opens the session in pi itself, as inline code.

        Raises:
            UsageError: The token belongs to another engine.
        """
        check_token(ENGINE, token)
        return f"`pi --session {token.value}`"

    def command(self) -> str:
        """Return the program."""
        return ENGINE

    def start_run(
        self,
        prompt: str,
        resume: ResumeToken | None,
        *,
        state: PiState,  # noqa: ARG002 - part of the hook
    ) -> None:
        """Refuse what pi would take without a word.

        Raises:
            PromptRefused: Nothing is left of the prompt once pi has stripped it, or several
                sessions begin as the one does that is asked for.
        """
        if not prompt.strip():
            raise PromptRefused("pi takes no empty prompt; send some text")
        if resume is not None and _SHORT.fullmatch(resume.value):
            _refuse_ambiguous(resume.value)

    def handle_started_event(
        self,
        event: StartedEvent,
        *,
        expected_session: ResumeToken | None,
        found_session: ResumeToken | None,
    ) -> tuple[ResumeToken | None, bool]:
        """Return the session from now on; where the beginning of its id was asked for, the whole.

        Raises:
            SessionMismatch: The session is not the one asked for, or not the one found before.
        """
        asked = expected_session.value if expected_session is not None else ""
        if _SHORT.fullmatch(asked) and event.resume.value.lower().startswith(asked.lower()):
            expected_session = None
        return super().handle_started_event(
            event, expected_session=expected_session, found_session=found_session
        )

    def stdin_payload(
        self,
        prompt: str,
        resume: ResumeToken | None,
        *,
        state: PiState,  # noqa: ARG002 - part of the hook
    ) -> bytes:
        """Return the prompt; where a session is asked for, after an empty line.

        pi strips that line. But for a session of another directory it first asks whether to copy
        it, and would take a first line "y" for the answer.
        """
        return (b"" if resume is None else b"\n") + prompt.encode("utf-8", "replace")

    def build_args(
        self,
        prompt: str,  # noqa: ARG002 - goes by standard input
        resume: ResumeToken | None,
        *,
        state: PiState,  # noqa: ARG002 - part of the hook
    ) -> list[str]:
        """Return the arguments; the prompt is not among them.

        Raises:
            UsageError: The turn asks for a level or a mode that pi lacks; pi would only warn.
        """
        model = asked_model(ENGINE, self.model)
        level = asked_reasoning(ENGINE, self.reasoning, LEVELS)
        tools = asked_mode(ENGINE, MODES)
        args = ["--print", "--mode", "json", *self.extra_args]
        if self.provider:
            args += ["--provider", self.provider]
        if model:
            args += ["--model", model]
        if level:
            args += ["--thinking", level]
        if resume is not None:
            args += ["--session", resume.value]
        if tools:
            args += ["--tools", tools]
        files = [f"@{path}" for path in asked_files()]
        return [*args, "--", *files] if files else args

    def new_state(self, prompt: str, resume: ResumeToken | None) -> PiState:  # noqa: ARG002
        """Make the state of a run."""
        return PiState()

    def decode_jsonl(self, *, line: bytes) -> PiEvent:
        """Return the event of a line."""
        return decode_event(line)

    def translate(
        self,
        data: PiEvent,
        *,
        state: PiState,
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
        state: PiState,
    ) -> list[TakopiEvent]:
        """Return the end of a run that did not tell it; pi exits with 0 after failures too."""
        return final_events(state, session=found_session or resume, status="")

    def process_error_events(
        self,
        rc: int,
        *,
        resume: ResumeToken | None,
        found_session: ResumeToken | None,
        state: PiState,
    ) -> list[TakopiEvent]:
        """Return the end of a run that failed."""
        return final_events(state, session=found_session or resume, status=exit_text(rc))

    def stderr_message(self, tail: str) -> str:
        """Return what a person should read, with what to do about causes that are known."""
        node = _NODE_VERSION.search(tail)
        if node is not None and "SyntaxError" in tail:
            return (
                f"pi needs Node.js 22.19 or newer, and the `node` on PATH is {node[1]}. "
                "Install a newer one, or put its folder first on the PATH of takopi."
            )
        if _NO_NODE.search(tail):
            return "pi needs Node.js 22.19 or newer, and there is no `node` on PATH; install it."
        text = useful_end(tail)
        other = _OTHER_DIRECTORY.search(tail)
        if other is not None:
            return (
                f"The session belongs to another directory: {other[1].strip()}. "
                "Continue it there, or send the prompt without the resume line."
            )
        if "No session found matching" in text:
            text += (
                "\npi does not know this session in this directory, or it was deleted. "
                "Send the prompt without the resume line to start a new one."
            )
        elif "No API key" in text or "No models available" in text:
            text += (
                "\nLog in: run `pi` in a terminal and use /login, or name the variable of the "
                "provider's key in `env.pi.pass`."
            )
        return text


def _refuse_ambiguous(beginning: str) -> None:
    request = current_request()
    if request is None or request.cwd is None:
        return
    known = list_pi_sessions(request.cwd, _LOOKED_AT)
    whole = [one.token.value for one in known if one.token.value.startswith(beginning.lower())]
    if len(whole) > 1:
        raise PromptRefused(
            f"several sessions of pi begin with {beginning}; name one of them whole, like "
            f"`/resume pi --session {whole[0]}`"
        )


def build_runner(config: EngineConfig, config_path: Path) -> PiRunner:
    """Make the runner from the table `pi` of the configuration.

    Raises:
        ConfigError: A key is unknown, or its value is not what is accepted.
    """
    table = ConfigTable(ENGINE, config, config_path)
    runner = PiRunner(
        model=table.text("model"),
        provider=table.text("provider"),
        reasoning=table.choice("reasoning", LEVELS),
        extra_args=read_extra_args(table, ENGINE, config_path, owned=_OWNED),
    )
    table.done()
    return runner


BACKEND = EngineBackend(
    id=ENGINE,
    build_runner=build_runner,
    install_cmd="npm install -g @earendil-works/pi-coding-agent",
)
