"""Be what authors of command plug-ins see: what a command gets, and what it may answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from takopi.command_runtime import CommandRuntime
from takopi.context import RunContext
from takopi.errors import PluginError
from takopi.model import EngineId
from takopi.plugin_catalogue import PluginCatalogue, installed_plugins
from takopi.transport import MessageRef, RenderedMessage

__all__ = [
    "CommandBackend",
    "CommandContext",
    "CommandExecutor",
    "CommandResult",
    "RunMode",
    "RunRequest",
    "RunResult",
    "accept_command",
    "find_commands",
    "get_command",
    "list_command_ids",
]

ENTRY_POINT_GROUP = "takopi.command_backends"

RunMode: TypeAlias = Literal["emit", "capture"]


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Carry what a command answers.

    Args:
        text: Plain text.
        notify: Whether the person's device may make a sound.
        reply_to: The message it answers; None means the command's own.
    """

    text: str
    notify: bool = True
    reply_to: MessageRef | None = None


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Ask for a turn.

    Args:
        prompt: What the agent is to do.
        engine: Id of the engine; None means the one that the context has.
        context: Project and branch; None means those of the chat.
    """

    prompt: str
    engine: EngineId | None = None
    context: RunContext | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """Carry how a turn ended.

    Args:
        engine: The engine that it ran on.
        message: The final, with mode `capture`; None when it went to the chat.
    """

    engine: EngineId
    message: RenderedMessage | None


class CommandExecutor(Protocol):
    """Do what a command may do."""

    async def send(
        self,
        message: RenderedMessage | str,
        *,
        reply_to: MessageRef | None = None,
        notify: bool = True,
    ) -> MessageRef | None:
        """Send a message to the chat; None when it could not be sent."""
        ...

    async def run_one(self, request: RunRequest, *, mode: RunMode = "emit") -> RunResult:
        """Run a turn and wait for its end; `capture` keeps the final out of the chat."""
        ...

    async def run_many(
        self, requests: Sequence[RunRequest], *, mode: RunMode = "emit", parallel: bool = False
    ) -> list[RunResult]:
        """Run turns one after the other, or side by side, and wait for their ends."""
        ...


@dataclass(frozen=True, slots=True)
class CommandContext:
    """Carry what a command was called with.

    Args:
        command: Its id, without the slash.
        text: The whole message.
        args_text: What follows the command.
        args: The same, split as a shell does.
        message: The message that called it.
        reply_to: The message that this one replies to.
        reply_text: The text of that message.
        config_path: The configuration file; None when there is none.
        plugin_config: The table `[plugins.<id>]`.
        runtime: Resolves messages, engines, projects and directories.
        executor: Sends messages and runs turns.
    """

    command: str
    text: str
    args_text: str
    args: tuple[str, ...]
    message: MessageRef
    reply_to: MessageRef | None
    reply_text: str | None
    config_path: Path | None
    plugin_config: dict[str, Any]
    runtime: CommandRuntime
    executor: CommandExecutor


@runtime_checkable
class CommandBackend(Protocol):
    """Be a command of the chat, brought by a plug-in."""

    id: str
    description: str

    async def handle(self, ctx: CommandContext) -> CommandResult | None:
        """Do what was asked; None when everything was already said."""
        ...


def find_commands(
    *, enabled: Collection[str] | None = None, taken: Mapping[str, str] | None = None
) -> PluginCatalogue[CommandBackend]:
    """Find the commands that installed packages bring, importing none.

    Args:
        enabled: Names of the packages that may; None means all.
        taken: Names that mean something else in the chat already, and what.
    """
    sources = installed_plugins(ENTRY_POINT_GROUP)
    return PluginCatalogue("command", sources, accept_command, taken=taken, enabled=enabled)


def accept_command(backend: object, command_id: str) -> CommandBackend:
    """Return what a plug-in registered when it is a command.

    Raises:
        PluginError: It is none; the text goes on from the name of its place.
    """
    if not isinstance(backend, CommandBackend) or backend.id != command_id:
        raise PluginError(f"is no CommandBackend with the id `{command_id}`")
    # Whatever the protocol says, only the author's own module decides what stands there.
    description: object = backend.description
    if not isinstance(description, str) or not callable(backend.handle):
        raise PluginError("needs a `description` that is text, and `async def handle(self, ctx)`")
    return backend


def list_command_ids(*, allowlist: Collection[str] | None = None) -> list[str]:
    """Return the ids of the commands that installed packages bring.

    Args:
        allowlist: Names of the packages that may; None means all.
    """
    return list(find_commands(enabled=allowlist).ids)


def get_command(
    command_id: str, *, allowlist: Collection[str] | None = None, required: bool = True
) -> CommandBackend | None:
    """Load a command.

    Args:
        command_id: Its id.
        allowlist: Names of the packages that may bring one; None means all.
        required: Whether its absence is an error; None is returned otherwise.

    Raises:
        PluginError: It is missing, fails to load or is no command.
    """
    catalogue = find_commands(enabled=allowlist)
    if command_id not in catalogue.ids and not required:
        return None
    return catalogue.load(command_id)
