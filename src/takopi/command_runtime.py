"""What command plug-ins can ask takopi: where a message belongs, who runs it, and in which folder.

All of it answers at once and changes nothing; only `make_run_cwd` waits, because git may have to
make a worktree.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from takopi.context import RunContext
from takopi.model import EngineId, ResumeToken

if TYPE_CHECKING:
    from takopi.runner import Runner

__all__ = ["CommandRuntime", "ResolvedMessage", "ResolvedRunner"]


@dataclass(frozen=True, slots=True)
class ResolvedMessage:
    """Say what a message asks for.

    Args:
        prompt: The text without directives and resume line.
        resume_token: The session that it names, or the message that it replies to.
        engine_override: The engine that a directive names.
        context: Project and branch; None for no project.
        context_source: What said so: `reply_ctx`, `directives`, `ambient` (the chat, or the context
            that was handed in), `default_project` or `none`.
    """

    prompt: str
    resume_token: ResumeToken | None
    engine_override: EngineId | None
    context: RunContext | None
    context_source: str = "none"


@dataclass(frozen=True, slots=True)
class ResolvedRunner:
    """Say who runs a prompt.

    Args:
        engine: Its id.
        runner: Its runner.
        available: Whether its CLI is installed.
        issue: Why it cannot run; None when it can.
    """

    engine: EngineId
    runner: "Runner"
    available: bool = True
    issue: str | None = None


class CommandRuntime(Protocol):
    """Resolve what a command needs, as the chat itself would."""

    @property
    def default_engine(self) -> EngineId:
        """Give the engine that runs what names none."""
        ...

    @property
    def engine_ids(self) -> tuple[EngineId, ...]:
        """List the engines that are known, installed or not."""
        ...

    @property
    def config_path(self) -> Path | None:
        """Give the configuration file; None when there is none."""
        ...

    def available_engine_ids(self) -> tuple[EngineId, ...]:
        """List the engines whose CLI is installed."""
        ...

    def missing_engine_ids(self) -> tuple[EngineId, ...]:
        """List the engines whose CLI is not installed, or that cannot be loaded."""
        ...

    def project_aliases(self) -> tuple[str, ...]:
        """List the names of the projects."""
        ...

    @property
    def default_project(self) -> str | None:
        """Give the project of prompts that name none, in chats that are bound to none."""
        ...

    def normalize_project_key(self, value: str) -> str | None:
        """Return the name of a project however it was written; None for no such one."""
        ...

    def project_alias_for_key(self, key: str) -> str:
        """Return how a project is shown to a person."""
        ...

    def project_default_engine(self, context: RunContext | None) -> EngineId | None:
        """Return the engine that the configuration gives a project; None when it gives none."""
        ...

    def default_context_for_chat(self, chat_id: int | None) -> RunContext | None:
        """Return the project whose `chat_id` a chat is; None when it is that of none."""
        ...

    def project_chat_ids(self) -> tuple[int, ...]:
        """List the chats that belong to projects."""
        ...

    def plugin_config(self, plugin_id: str) -> dict[str, Any]:
        """Return the table `[plugins.<id>]`; empty when there is none."""
        ...

    def resolve_message(
        self,
        *,
        text: str,
        reply_text: str | None,
        ambient_context: RunContext | None = None,
        chat_id: int | None = None,
    ) -> ResolvedMessage:
        """Read directives, context and session of a message.

        Args:
            text: What it says.
            reply_text: The text of this bot's message that it replies to.
            ambient_context: What holds without a directive; None means that of the chat.
            chat_id: The chat; None means the command's own place.

        Raises:
            DirectiveError: It names two engines or places, or a branch that cannot be one.
        """
        ...

    def resolve_engine(
        self, *, engine_override: EngineId | None = None, context: RunContext | None = None
    ) -> EngineId:
        """Say which engine runs a prompt of a context.

        Args:
            engine_override: Goes before everything.
            context: Project and branch; None means those of the chat.
        """
        ...

    def resolve_runner(
        self,
        *,
        resume_token: ResumeToken | None = None,
        engine_override: EngineId | None = None,
    ) -> ResolvedRunner:
        """Find the runner of a session or engine.

        Raises:
            RunnerUnavailableError: Nobody knows the engine, or its module cannot be used.
            ConfigError: Its table of the configuration is wrong.
        """
        ...

    def is_resume_line(self, line: str) -> bool:
        """Tell whether a line resumes a session of any engine."""
        ...

    def resolve_run_cwd(self, context: RunContext | None) -> Path | None:
        """Return where prompts of a context run, without making anything.

        Returns:
            None for no context.

        Raises:
            ConfigError: The project is not known, or the branch has no worktree yet; await
                `make_run_cwd` in that case.
        """
        ...

    async def make_run_cwd(self, context: RunContext | None) -> Path:
        """Return where prompts of a context run; the worktree of a branch is made when it is new.

        Raises:
            TakopiError: The project is not known, or git refused; the text says what to do.
        """
        ...

    def format_context_line(self, context: RunContext | None) -> str | None:
        """Write the line that names a context in a message; None for no project."""
        ...
