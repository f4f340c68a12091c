"""What command plug-ins ask: the same answers as the chat's own routing gives."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from msgspec.structs import replace as changed

from takopi.bridge.commands.call import CommandPorts
from takopi.bridge.ports import CommandPlugins
from takopi.command_runtime import ResolvedMessage, ResolvedRunner
from takopi.context import RunContext
from takopi.core.branches import worktree_folder
from takopi.core.chat import ChatKind, MessageReceived, RepliedTo, Scope
from takopi.core.contexts import ContextSource, HeldContext, format_context
from takopi.core.decisions import (
    Command,
    ContextExplained,
    EngineExplained,
    NothingSaid,
    Prompt,
    RouteTable,
    UnknownCommand,
)
from takopi.core.directives import Opening, read_opening
from takopi.core.projects import Projects
from takopi.core.replies import route_reply
from takopi.core.route import route
from takopi.core.texts import tr
from takopi.errors import ConfigError, DirectiveError, PluginError, RunnerUnavailableError
from takopi.model import EngineId, ResumeToken

__all__ = ["ChatRuntime"]

# The words that plug-ins know, of which there are fewer than ours.
_SOURCES: Mapping[ContextSource, str] = {
    "reply": "reply_ctx",
    "line": "reply_ctx",
    "directive": "directives",
    "topic": "ambient",
    "chat": "ambient",
    "project chat": "ambient",
    "default": "default_project",
    "none": "none",
}


@dataclass(frozen=True, slots=True)
class ChatRuntime:
    """Answer what a command asks, for the place where it was sent.

    Args:
        ports: What commands work with.
        plugins: Knows the configuration and the machine.
        scope: The place.
        kind: Of its chat.
    """

    ports: CommandPorts
    plugins: CommandPlugins
    scope: Scope
    kind: ChatKind = "private"

    @property
    def default_engine(self) -> EngineId:
        """Give the engine that runs what names none."""
        return self.ports.default_engine

    @property
    def engine_ids(self) -> tuple[EngineId, ...]:
        """List the engines that are known, installed or not."""
        return tuple(self.ports.engines.ids())

    @property
    def config_path(self) -> Path | None:
        """Give the configuration file; None when there is none."""
        return self.plugins.config_path

    def available_engine_ids(self) -> tuple[EngineId, ...]:
        """List the engines whose CLI is installed."""
        return tuple(engine for engine in self.engine_ids if self._issue(engine) is None)

    def missing_engine_ids(self) -> tuple[EngineId, ...]:
        """List the engines whose CLI is not installed, or that cannot be loaded."""
        return tuple(engine for engine in self.engine_ids if self._issue(engine) is not None)

    def project_aliases(self) -> tuple[str, ...]:
        """List the names of the projects."""
        return self._projects.aliases

    @property
    def default_project(self) -> str | None:
        """Give the project of prompts that name none, in chats that are bound to none."""
        return self.ports.settings.default_project

    def normalize_project_key(self, value: str) -> str | None:
        """Return the name of a project however it was written; None for no such one."""
        project = self._projects.find(value.strip())
        return project.alias if project else None

    def project_alias_for_key(self, key: str) -> str:
        """Return how a project is shown to a person."""
        return self.normalize_project_key(key) or key

    def project_default_engine(self, context: RunContext | None) -> EngineId | None:
        """Return the engine that the configuration gives a project; None when it gives none."""
        project = self._projects.find(context.project) if context and context.project else None
        return project.default_engine if project else None

    def default_context_for_chat(self, chat_id: int | None) -> RunContext | None:
        """Return the project whose `chat_id` a chat is; None when it is that of none."""
        project = self._projects.of_chat(chat_id)
        return RunContext(project.alias) if project else None

    def project_chat_ids(self) -> tuple[int, ...]:
        """List the chats that belong to projects."""
        return tuple(one.chat_id for one in self._projects.all if one.chat_id is not None)

    def plugin_config(self, plugin_id: str) -> dict[str, Any]:
        """Return the table `[plugins.<id>]`; empty when there is none."""
        return self.plugins.table(plugin_id)

    def resolve_message(
        self,
        *,
        text: str,
        reply_text: str | None,
        ambient_context: RunContext | None = None,
        chat_id: int | None = None,
    ) -> ResolvedMessage:
        """Read directives, context and session of a message; see `CommandRuntime`."""
        scope = self.scope if chat_id is None else Scope(self.scope.transport, chat_id)
        table = self._table(scope, ambient_context)
        received = _message(text, reply_text, scope, self.kind)
        decision = route(received, table)
        if isinstance(decision, Command | UnknownCommand):
            # Nobody's slash is the plug-in's business: it is text.
            decision = route(changed(received, text=f"/{text.strip()}"), table)
        opening = read_opening(text.strip(), table)
        if not isinstance(opening, Opening):
            opening = Opening()
        if isinstance(decision, Prompt):
            held, prompt, session = decision.where, decision.text, decision.resume
        elif isinstance(decision, NothingSaid | EngineExplained | ContextExplained):
            # Directives and nothing to do: a plug-in may add the words.
            held, prompt, session = self._where(opening, table), "", None
        else:
            words = route_reply(decision, self.default_engine)
            raise DirectiveError(words.body.text if words else tr("nothing can be done with it"))
        context = held.context if held.context.project else None
        return ResolvedMessage(prompt, session, opening.engine, context, _SOURCES[held.source])

    def resolve_engine(
        self, *, engine_override: EngineId | None = None, context: RunContext | None = None
    ) -> EngineId:
        """Say which engine runs a prompt of a context; see `CommandRuntime`."""
        table = self.ports.router.table(self.scope)
        return engine_override or table.engine_of(context or table.here.context)

    def resolve_runner(
        self,
        *,
        resume_token: ResumeToken | None = None,
        engine_override: EngineId | None = None,
    ) -> ResolvedRunner:
        """Find the runner of a session or engine; see `CommandRuntime`."""
        engine = resume_token.engine if resume_token else self.resolve_engine(
            engine_override=engine_override
        )  # fmt: skip
        issue = self._issue(engine)
        try:
            runner = self.ports.engines.runner(engine)
        except PluginError as error:
            raise RunnerUnavailableError(engine, str(error)) from error
        return ResolvedRunner(engine, runner, available=issue is None, issue=issue)

    def is_resume_line(self, line: str) -> bool:
        """Tell whether a line resumes a session of any engine."""
        return any(c.is_resume_line(line) for c in self.ports.router.table(self.scope).codecs)

    def resolve_run_cwd(self, context: RunContext | None) -> Path | None:
        """Return where prompts of a context run, without making anything; see `CommandRuntime`."""
        if context is None or context.project is None:
            return None
        project = self._projects.find(context.project)
        if project is None:
            raise ConfigError(tr("there is no project {alias}", alias=context.project))
        if context.branch is None:
            return Path(project.path)
        folder = Path(project.worktrees) / worktree_folder(context.branch)
        if not folder.is_dir():
            raise ConfigError(
                tr("@{branch} of {alias} has no worktree yet; a command makes it with "
                   "`await ctx.runtime.make_run_cwd(context)`, a prompt by running there",
                   branch=context.branch, alias=project.alias)
            )  # fmt: skip
        return folder

    async def make_run_cwd(self, context: RunContext | None) -> Path:
        """Return where prompts of a context run; the worktree of a branch is made when it is new.

        Raises:
            TakopiError: The project is not known, or git refused; the text says what to do.
        """
        return await self.ports.workspaces.directory(context or RunContext())

    def format_context_line(self, context: RunContext | None) -> str | None:
        """Write the line that names a context in a message; None for no project."""
        return (format_context(context) or None) if context is not None else None

    @property
    def _projects(self) -> Projects:
        return self.ports.settings.projects

    def _table(self, scope: Scope, ambient: RunContext | None) -> RouteTable:
        table = self.ports.router.table(scope)
        if ambient is None or ambient.project is None:
            return table
        return replace(table, here=HeldContext(ambient, "chat"))

    def _where(self, opening: Opening, table: RouteTable) -> HeldContext:
        here = table.here
        project = opening.project or (here.context.project if opening.branch else None)
        return HeldContext(RunContext(project, opening.branch), "directive") if project else here

    def _issue(self, engine: EngineId) -> str | None:
        """Say why an engine cannot run; None when it can."""
        try:
            installed = self.plugins.installed(engine)
        except (PluginError, ConfigError) as error:
            return str(error)
        return None if installed else tr("{engine} is not installed", engine=engine)


def _message(text: str, reply_text: str | None, scope: Scope, kind: ChatKind) -> MessageReceived:
    reply = None if reply_text is None else RepliedTo(0, reply_text, from_this_bot=True)
    return MessageReceived(
        update_id=0, scope=scope, chat_kind=kind, message_id=0, sender_id=None, text=text,
        reply=reply,
    )  # fmt: skip
