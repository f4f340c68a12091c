"""All commands, found by their names; presses on their buttons too."""

from collections.abc import Sequence

from takopi.bridge.commands.call import CommandCall, CommandHandler, CommandPorts, PressCall
from takopi.bridge.commands.cancel import CancelCommand
from takopi.bridge.commands.contexts import ContextCommand
from takopi.bridge.commands.diff import DiffCommand
from takopi.bridge.commands.files import FileCommand
from takopi.bridge.commands.help import HelpCommand
from takopi.bridge.commands.new import NewCommand
from takopi.bridge.commands.plugin import PluginCommand, describe
from takopi.bridge.commands.preferences import preference_commands
from takopi.bridge.commands.queue import QueueCommand
from takopi.bridge.commands.resume import ResumeCommand
from takopi.bridge.commands.schedules import SchedulesCommand
from takopi.bridge.commands.sessions import SessionsCommand
from takopi.bridge.commands.status import StatusCommand
from takopi.bridge.commands.topics import TopicCommand
from takopi.bridge.commands.usage import UsageCommand
from takopi.bridge.commands.worktrees import WorktreesCommand
from takopi.bridge.letters import Destination
from takopi.bridge.ports import CommandPlugins, EngineDirectory, MenuCommand
from takopi.bridge.records import UpdateHandled
from takopi.core.chat import ButtonPressed
from takopi.core.commands import COMMANDS, read_press
from takopi.core.replies import CANCEL_PREFIX, PICK_PREFIX
from takopi.core.texts import tr, translated
from takopi.model import EngineId

__all__ = ["Commands", "make_handlers", "menu"]


def make_handlers(ports: CommandPorts) -> tuple[CommandHandler, ...]:
    """Make the handler of every command, those of plug-ins first: takopi's own win."""
    plugins = ports.plugins
    return (
        *(() if plugins is None else (PluginCommand(ports, plugins),)),
        CancelCommand(ports),
        StatusCommand(ports),
        HelpCommand(ports),
        QueueCommand(ports),
        UsageCommand(ports),
        SchedulesCommand(ports),
        FileCommand(ports),
        ContextCommand(ports),
        WorktreesCommand(ports),
        DiffCommand(ports),
        NewCommand(ports),
        SessionsCommand(ports),
        ResumeCommand(ports),
        *(() if ports.topics is None else (TopicCommand(ports, ports.topics),)),
        *preference_commands(ports),
    )


class Commands:
    """Find who answers.

    Args:
        ports: What commands work with.
        handlers: Those who answer.
    """

    def __init__(self, ports: CommandPorts, handlers: Sequence[CommandHandler]) -> None:
        self._ports = ports
        self._cancel = CancelCommand(ports)
        self._by_name = {name: handler for handler in handlers for name in handler.names}

    @property
    def names(self) -> tuple[str, ...]:
        """List every command that is answered."""
        return tuple(self._by_name)

    async def answer(self, call: CommandCall) -> None:
        """Answer a command and mark it.

        Raises:
            StoreError: The journal did not take it, so nothing happened.
        """
        await self._by_name[call.command.name].answer(call)

    async def press(
        self, pressed: ButtonPressed, handled: UpdateHandled, arrived_at: float
    ) -> str | None:
        """Do what a button says; None when no command made it, and then nothing is marked.

        Args:
            pressed: The press.
            handled: Its mark.
            arrived_at: When it was accepted, unix seconds.

        Raises:
            StoreError: The journal did not take it, so nothing happened.
        """
        destination = Destination(pressed.scope, pressed.chat_kind)
        if pressed.data.startswith((CANCEL_PREFIX, PICK_PREFIX)):
            return await self._cancel.press(PressCall(pressed, destination, (), handled))
        read = read_press(pressed.data)
        handler = None if read is None else self._by_name.get(read[0])
        if read is None or handler is None:
            return None
        return await handler.press(PressCall(pressed, destination, read[1], handled, arrived_at))


def menu(
    engines: EngineDirectory, default_engine: EngineId, plugins: CommandPlugins | None = None
) -> tuple[MenuCommand, ...]:
    """Make the command menu of the chat: takopi's own commands, engines, plug-ins, at most 100."""
    commands = [MenuCommand(spec.name, translated(spec.description)) for spec in COMMANDS]
    for engine in engines.ids():
        words = (
            tr("Ask {engine} (the default)", engine=engine)
            if engine == default_engine
            else tr("Ask {engine}", engine=engine)
        )
        commands.append(MenuCommand(engine, words))
    commands += [MenuCommand(spec.name, spec.description) for spec in describe(plugins)]
    return tuple(commands[:100])
