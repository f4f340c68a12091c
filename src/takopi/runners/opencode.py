"""Run opencode: `opencode run --format json`, the prompt on standard input.

What it may do without asking is the person's own `permission` table in opencode.json. A run cannot
ask, so opencode refuses what is set to "ask" and stops there with exit status 0; takopi turns that
into an error that names the setting.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from takopi.backends import EngineBackend, EngineConfig
from takopi.core.stderr_text import useful_end
from takopi.model import ResumeToken, TakopiEvent
from takopi.resume_tokens import ResumeTokenMixin, check_token
from takopi.runner import JsonlSubprocessRunner
from takopi.runners._config_table import ConfigTable
from takopi.runners._exit_text import exit_text
from takopi.runners._extra_args import read_extra_args
from takopi.runners._opencode_events import OpencodeState, end_events, line_events
from takopi.runners.run_options import get_run_options
from takopi.schemas.opencode import OpencodeEvent, decode_event

__all__ = ["BACKEND", "ENGINE", "OpencodeRunner"]

ENGINE = "opencode"

_OWNED = frozenset(
    {"--format", "--session", "-s", "--continue", "-c", "--fork", "--attach", "--dir"}
    | {"--interactive", "-i", "--command", "--help", "-h", "--version", "-v", "--"}
)
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
    resume_re = re.compile(
        r"^[ \t]*`?opencode(?:[ \t]+run)?[ \t]+(?:--session|-s)[ \t=]+"
        r"(?P<token>ses_[A-Za-z0-9]{1,64})`?[ \t]*\r?$",
        re.MULTILINE,
    )

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
        """Return the arguments; the prompt is not among them."""
        options = get_run_options()
        model = (options.model if options else None) or self.model
        variant = (options.reasoning if options else None) or self.reasoning
        args = ["run", "--format", "json", *self.extra_args]
        if self.thinking:
            args.append("--thinking")
        if model:
            args += ["--model", model]
        if variant:
            args += ["--variant", variant]
        if resume is not None:
            args += ["--session", resume.value]
        return args

    def new_state(self, prompt: str, resume: ResumeToken | None) -> OpencodeState:  # noqa: ARG002
        """Make the state of a run."""
        return OpencodeState()

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
