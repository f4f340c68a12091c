"""/help: what a person can do here."""

from dataclasses import dataclass

from takopi.bridge.commands.call import Buttonless, CommandCall
from takopi.bridge.commands.plugin import describe
from takopi.context import RunContext
from takopi.core.chat import ChatMessage
from takopi.core.commands import COMMANDS, GREETING, nearest_names
from takopi.core.context_replies import context_reply
from takopi.core.decisions import ContextExplained
from takopi.core.help_replies import Engines, command_help, help_reply, no_such_command
from takopi.core.replies import engine_reply
from takopi.model import EngineId

__all__ = ["HelpCommand"]


@dataclass(frozen=True, slots=True)
class HelpCommand(Buttonless):
    """Say what a person can do here.

    Args:
        ports: What commands work with.
    """

    names: tuple[str, ...] = ("help", GREETING)

    async def answer(self, call: CommandCall) -> None:
        """List commands and engines, or explain the one that is named."""
        command = call.command
        # A greeting carries what a link to the bot had in it, and that is no question.
        asked = "" if command.name == GREETING else command.args.strip().lstrip("/")
        here = self.ports.router.engine_here(call.received.scope)
        words = self._about(asked, here) if asked else self._all(here)
        await self.ports.answers.give(call.destination, words, [call.handled])

    def _all(self, engine_here: EngineId) -> ChatMessage:
        ports = self.ports
        known, plugins = ports.engines.ids(), describe(ports.plugins)
        missing = [engine for engine in known if ports.engines.missing(engine) is not None]
        here = Engines(
            tuple(engine for engine in known if engine not in missing),
            engine_here,
            tuple(missing),
        )
        chats = ports.settings
        return help_reply(
            here, plugins, chats.projects.aliases, absent=chats.absent, replies=chats.replies
        )

    def _about(self, asked: str, engine_here: EngineId) -> ChatMessage:
        ports, name = self.ports, asked.lower()
        specs = (*COMMANDS, *describe(ports.plugins))
        spec = next((spec for spec in specs if spec.name == name), None)
        if spec is not None:
            return command_help(spec)
        engine = next((engine for engine in ports.engines.ids() if engine == name), None)
        if engine is not None:
            return engine_reply(engine, engine_here, ports.engines.missing(engine))
        project = ports.settings.projects.find(name)
        if project is not None:
            return context_reply(ContextExplained(RunContext(project.alias)))
        projects = ports.settings.projects.aliases
        known = (*(spec.name for spec in specs), *ports.engines.ids(), *projects)
        return no_such_command(asked, nearest_names(name, known))
