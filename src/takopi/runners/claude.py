"""Run claude: `claude -p --output-format stream-json`, the prompt on standard input.

A run cannot ask. What claude may do without asking is `allowed_tools` and `permission_mode`; what
is not allowed is refused, and a warning names the tool and the settings.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import msgspec

from takopi.backends import EngineBackend, EngineConfig
from takopi.core.attachments import with_files
from takopi.core.permission_modes import accepted_modes
from takopi.desktop_sessions import DesktopSession
from takopi.model import ResumeToken, TakopiEvent
from takopi.resume_tokens import ResumeTokenMixin, check_token
from takopi.runner import JsonlSubprocessRunner
from takopi.runners._asked import asked_files, asked_mode, asked_model, asked_reasoning
from takopi.runners._claude_errors import UNKNOWN_SESSION, stderr_text
from takopi.runners._claude_messages import assistant_events, stream_events, user_events
from takopi.runners._claude_result import end_events, result_events, task_ended
from takopi.runners._claude_sessions import claude_directory, list_claude_sessions
from takopi.runners._claude_state import ENGINE, ClaudeState, once
from takopi.runners._claude_system import limit_events, system_events
from takopi.runners._config_table import ConfigTable
from takopi.runners._exit_text import exit_text
from takopi.runners._extra_args import read_extra_args
from takopi.runners._native import claude_binary
from takopi.runners._pictures import is_picture, read_picture
from takopi.schemas.claude import ClaudeEvent, decode_event
from takopi.turn import EngineCapabilities

__all__ = ["BACKEND", "ENGINE", "ClaudeRunner"]

REASONING_LEVELS = ("low", "medium", "high", "xhigh", "max")
PERMISSION_MODES = ("acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "plan")
MODES = {"plan": "plan", "ask": "default", "edit": "acceptEdits", "full": "bypassPermissions"}
DEFAULT_TOOLS = ("Bash", "Read", "Edit", "Write")
# claude takes these names for the newest of a kind; it cannot be asked for a list without a login.
MODELS = ("fable", "opus", "sonnet", "haiku")
# Tools that change something; `Bash(git *)` is `Bash` with a limit.
_CHANGING = frozenset({"Bash", "Edit", "MultiEdit", "NotebookEdit", "Write"})
# The API takes pictures of 5 MB, and base64 makes four bytes of three.
MAX_PICTURE_BYTES = 3_900_000
# A request takes 32 MB, and the pictures of earlier turns go with each.
MAX_PICTURES_BYTES = 12_000_000

_OWNED = frozenset(
    {"-p", "--print", "--output-format", "--input-format", "--verbose", "--resume", "-r", "--"}
    | {"--continue", "-c", "--session-id", "--fork-session", "--no-session-persistence", "--bg"}
    | {"--background", "--model", "--effort", "--allowedTools", "--allowed-tools", "-h", "--help"}
    | {"--permission-mode", "--dangerously-skip-permissions", "--permission-prompt-tool"}
    | {"-v", "--version", "--replay-user-messages", "--from-pr"}
)
_API_KEY = "ANTHROPIC_API_KEY"
# What an agent that started takopi leaves behind would tie the run to that agent's session.
_INHERITED = ("CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT")
# One word after the slash is meant for claude (`/compact`, `/mcp__server__prompt`, `/plugin:do`).
_SLASH_COMMAND = re.compile(r"/[A-Za-z][\w:-]*(?=\s|\Z)")
# What is known of a line without reading it as JSON; the same types again are no news.
_SILENT = frozenset(
    {"tool_progress", "auth_status", "tool_use_summary", "prompt_suggestion", "keep_alive"}
    | {"control_request", "control_response", "control_cancel_request"}
)


@dataclass(frozen=True)
class ClaudeRunner(ResumeTokenMixin, JsonlSubprocessRunner):
    """Run turns of claude.

    Args:
        model: Model or alias; None leaves claude's own choice.
        reasoning: Effort; None leaves claude's own choice.
        allowed_tools: Tools that need no permission, like `Bash(git *)`.
        permission_mode: What else needs none.
        dangerously_skip_permissions: Whether everything is allowed.
        use_api_billing: Whether claude gets ANTHROPIC_API_KEY.
        extra_args: Options added to every run.
    """

    model: str | None = None
    reasoning: str | None = None
    allowed_tools: tuple[str, ...] = DEFAULT_TOOLS
    permission_mode: str = "acceptEdits"
    dangerously_skip_permissions: bool = False
    use_api_billing: bool = False
    extra_args: tuple[str, ...] = ()

    engine = ENGINE
    unknown_session_re = UNKNOWN_SESSION
    resume_re = re.compile(
        r"^[ \t]*`?claude[ \t]+(?:--resume|-r)[ \t=]+"
        r"(?P<token>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`?[ \t]*\r?$",
        re.MULTILINE,
    )

    @property
    def capabilities(self) -> EngineCapabilities:
        """Say what a turn can ask for."""
        return EngineCapabilities(
            models=MODELS,
            reasoning_levels=REASONING_LEVELS,
            permission_modes=accepted_modes(MODES, PERMISSION_MODES),
            images=True,
        )

    def takes_file(self, path: Path) -> bool:
        """Say whether a file is a picture; claude's own tool reads larger ones smaller."""
        return is_picture(path, MAX_PICTURE_BYTES)

    async def list_sessions(self, cwd: Path, limit: int) -> tuple[DesktopSession, ...]:
        """List the sessions in claude's own store."""
        return await anyio.to_thread.run_sync(list_claude_sessions, cwd, limit)

    async def session_directory(self, session: str) -> Path | None:
        """Return where claude's own store says that a session works; None when it does not."""
        return await anyio.to_thread.run_sync(claude_directory, session, abandon_on_cancel=True)

    def format_resume(self, token: ResumeToken) -> str:
        """Return the command that opens the session in claude itself, as inline code.

        Raises:
            UsageError: The token belongs to another engine.
        """
        check_token(ENGINE, token)
        return f"`claude --resume {token.value}`"

    def command(self) -> str:
        """Return the program: the native one, also where npm ran no install scripts."""
        found = shutil.which(ENGINE)
        native = claude_binary(Path(found)) if found else None
        return str(native) if native else ENGINE

    def build_args(
        self,
        prompt: str,  # noqa: ARG002 - goes by standard input
        resume: ResumeToken | None,
        *,
        state: Any,  # noqa: ARG002 - part of the hook
    ) -> list[str]:
        """Return the arguments; `--allowedTools` takes all words up to the next option.

        Raises:
            UsageError: The turn asks for a permission mode or reasoning level that claude lacks.
        """
        model = asked_model(ENGINE, self.model)
        effort = asked_reasoning(ENGINE, self.reasoning, REASONING_LEVELS)
        asked = asked_mode(ENGINE, MODES, PERMISSION_MODES)
        form = "stream-json" if asked_files() else "text"
        args = ["-p", "--output-format", "stream-json", "--input-format", form, "--verbose"]
        if resume is not None:
            args += ["--resume", resume.value]
        if model:
            args += ["--model", model]
        if effort:
            args += ["--effort", effort]
        tools = _allowed(self.allowed_tools, asked)
        if tools:
            args += ["--allowedTools", *tools]
        if self.dangerously_skip_permissions and asked is None:
            args.append("--dangerously-skip-permissions")
        else:
            args += ["--permission-mode", asked or self.permission_mode]
        return [*args, *self.extra_args]

    def stdin_payload(
        self,
        prompt: str,
        resume: ResumeToken | None,  # noqa: ARG002 - part of the hook
        *,
        state: Any,  # noqa: ARG002
    ) -> bytes:
        """Return the prompt; one that begins with a path is kept from being a slash command.

        claude looks at the very first character only, and trims what it hands to the model.
        """
        if prompt.startswith("/") and _SLASH_COMMAND.match(prompt) is None:
            prompt = " " + prompt
        pictures = asked_files()
        return _with_pictures(prompt, pictures) if pictures else prompt.encode("utf-8", "replace")

    def pipes_stdin(self) -> bool:
        """Say whether the turn has pictures: their form of input is not read from a file."""
        return bool(asked_files())

    def env(self, *, state: Any) -> dict[str, str]:  # noqa: ARG002 - part of the hook
        """Return the environment, without the key unless it is to pay."""
        hidden = _INHERITED if self.use_api_billing else (*_INHERITED, _API_KEY)
        return {name: value for name, value in os.environ.items() if name not in hidden}

    def new_state(self, prompt: str, resume: ResumeToken | None) -> ClaudeState:  # noqa: ARG002
        """Make the state of a run."""
        return ClaudeState()

    def decode_jsonl(self, *, line: bytes) -> ClaudeEvent:
        """Return the event of a line."""
        return decode_event(line)

    def decode_error_events(
        self, *, raw: str, line: str, error: Exception, state: ClaudeState
    ) -> list[TakopiEvent]:
        """Return the events of a line that cannot be read; a result that was cut is known by it."""
        if not line.startswith('{"type":"result"'):
            return super().decode_error_events(raw=raw, line=line, error=error, state=state)
        state.cut = line
        text = "the last line of claude was cut; the answer is its last message"
        return [self.note_event(text, state=state, detail={"line": line})]

    def translate(
        self,
        data: ClaudeEvent,
        *,
        state: ClaudeState,
        resume: ResumeToken | None,  # noqa: ARG002 - part of the hook
        found_session: ResumeToken | None,  # noqa: ARG002
    ) -> list[TakopiEvent]:
        """Return the events of a line."""
        kind = data.type
        if kind == "assistant":
            return assistant_events(data, state)
        if kind == "user":
            return user_events(data, state)
        if kind == "system":
            events = system_events(data, state)
            if data.subtype == "task_notification":
                events += task_ended(data, state)
            return events
        if kind == "result":
            return result_events(data, state)
        if kind == "stream_event":
            return stream_events(data, state)
        if kind == "rate_limit_event":
            return limit_events(data, state)
        if kind in _SILENT:
            return []
        return once(state, f"claude.line.{kind}", f"claude sent {kind or 'a line without a type'}")

    def process_error_events(
        self,
        rc: int,
        *,
        resume: ResumeToken | None,
        found_session: ResumeToken | None,
        state: ClaudeState,
    ) -> list[TakopiEvent]:
        """Return the end of a run that failed without a last result."""
        ended_by = -(rc - 128) if 128 < rc <= 128 + 64 else rc  # as shells write a signal
        failure = f"claude {exit_text(ended_by)} without a result"
        return end_events(state, session=found_session or resume, failure=failure)

    def stream_end_events(
        self, *, resume: ResumeToken | None, found_session: ResumeToken | None, state: ClaudeState
    ) -> list[TakopiEvent]:
        """Return the end of a run that ended well without a last result."""
        return end_events(state, session=found_session or resume, failure="")

    def stderr_message(self, tail: str) -> str:
        """Return what a person should read, with what to do about causes that are known."""
        return stderr_text(tail)


def _allowed(tools: tuple[str, ...], asked: str | None) -> tuple[str, ...]:
    """Return the tools that need no permission in the mode that a turn asks for.

    claude lets a tool that is allowed by name do its work in every mode, and by default all tools
    are; so what changes something is left out where the mode says to read only, or to ask. A
    limited one, like `Bash(git *)`, was allowed on purpose, and stays where claude would ask.
    """
    if asked == "plan":
        return tuple(tool for tool in tools if tool.split("(", 1)[0].strip() not in _CHANGING)
    if asked in {"default", "dontAsk"}:
        return tuple(tool for tool in tools if tool.strip() not in _CHANGING)
    return tools


def _with_pictures(prompt: str, paths: tuple[Path, ...]) -> bytes:
    """Return a message with pictures and the prompt, which names them too."""
    content: list[dict[str, Any]] = []
    left = MAX_PICTURES_BYTES
    for path in paths:
        picture = read_picture(path, min(left, MAX_PICTURE_BYTES))
        if picture is not None:  # else it is gone, or too much, and its path is all there is to say
            kind, data = picture
            left -= len(data)
            source = {"type": "base64", "media_type": kind, "data": data}
            content.append({"type": "image", "source": source})
    said = with_files(prompt, paths).encode("utf-8", "replace").decode()
    content.append({"type": "text", "text": said})
    line = {"type": "user", "message": {"role": "user", "content": content}}
    return msgspec.json.encode(line) + b"\n"


def build_runner(config: EngineConfig, config_path: Path) -> ClaudeRunner:
    """Make the runner from the table `claude` of the configuration.

    Raises:
        ConfigError: A key is unknown, or its value is not what is accepted.
    """
    table = ConfigTable(ENGINE, config, config_path)
    runner = ClaudeRunner(
        model=table.text("model"),
        reasoning=table.choice("reasoning", REASONING_LEVELS),
        allowed_tools=table.words("allowed_tools", DEFAULT_TOOLS),
        permission_mode=table.choice("permission_mode", PERMISSION_MODES) or "acceptEdits",
        dangerously_skip_permissions=table.flag("dangerously_skip_permissions"),
        use_api_billing=table.flag("use_api_billing"),
        extra_args=read_extra_args(table, ENGINE, config_path, owned=_OWNED),
    )
    table.done()
    return runner


BACKEND = EngineBackend(
    id=ENGINE,
    build_runner=build_runner,
    install_cmd="npm install -g @anthropic-ai/claude-code",
    env_pass=(
        "ANTHROPIC_*",
        "API_TIMEOUT_MS",
        "BASH_DEFAULT_TIMEOUT_MS",
        "BASH_MAX_OUTPUT_LENGTH",
        "BASH_MAX_TIMEOUT_MS",
        "DISABLE_AUTOUPDATER",
        "DISABLE_TELEMETRY",
        "IS_SANDBOX",
        "MAX_MCP_OUTPUT_TOKENS",
        "MAX_THINKING_TOKENS",
        "MCP_TIMEOUT",
        "MCP_TOOL_TIMEOUT",
    ),
)
