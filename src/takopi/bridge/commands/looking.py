"""/help and /status: commands that change nothing."""

from dataclasses import dataclass

import anyio

from takopi.bridge.border import border
from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.commands.plugin import describe
from takopi.core.chat import ChatMessage
from takopi.core.commands import COMMANDS, GREETING, nearest_names
from takopi.core.help_replies import command_help, help_reply, no_such_command, takes_nothing
from takopi.core.replies import EngineVersion, TurnLine, engine_reply, status_reply
from takopi.core.texts import tr
from takopi.model import EngineId

__all__ = ["HelpCommand", "StatusCommand"]


@dataclass(frozen=True, slots=True)
class HelpCommand:
    """Say what a person can do here.

    Args:
        ports: What commands work with.
    """

    ports: CommandPorts
    names: tuple[str, ...] = ("help", GREETING)

    async def answer(self, call: CommandCall) -> None:
        """List commands and engines, or explain the one that is named."""
        command = call.command
        # A greeting carries what a link to the bot had in it, and that is no question.
        asked = "" if command.name == GREETING else command.args.strip().lstrip("/")
        words = self._about(asked) if asked else self._all()
        await self.ports.answers.give(call.place, words, [call.handled])

    def _all(self) -> ChatMessage:
        ports = self.ports
        return help_reply(ports.engines.ids(), ports.default_engine, describe(ports.plugins))

    def _about(self, asked: str) -> ChatMessage:
        ports, name = self.ports, asked.lower()
        specs = (*COMMANDS, *describe(ports.plugins))
        spec = next((spec for spec in specs if spec.name == name), None)
        if spec is not None:
            return command_help(spec)
        engine = next((engine for engine in ports.engines.ids() if engine == name), None)
        if engine is not None:
            return engine_reply(engine, ports.default_engine)
        known = (*(spec.name for spec in specs), *ports.engines.ids())
        return no_such_command(asked, nearest_names(name, known))

    async def press(self, call: PressCall) -> str:
        """Do nothing: help has no buttons."""
        await self.ports.answers.mark([call.handled])
        return ""


@dataclass(frozen=True, slots=True)
class StatusCommand:
    """Say what runs and waits in a chat.

    Args:
        ports: What commands work with.
    """

    ports: CommandPorts
    names: tuple[str, ...] = ("status",)

    async def answer(self, call: CommandCall) -> None:
        """List the turns as they are now, and the versions once they are known."""
        if call.command.args:
            spec = next(spec for spec in COMMANDS if spec.name == self.names[0])
            await self.ports.answers.give(call.place, takes_nothing(spec), [call.handled])
            return
        chat = call.received.scope.chat_id
        scheduler = self.ports.scheduler
        turns = [turn for turn in scheduler.turns() if turn.place.scope.chat_id == chat]
        lines = [scheduler.line(turn) for turn in turns]
        self.ports.group.start_soon(self._say, call, lines)

    async def press(self, call: PressCall) -> str:
        """Do nothing: what status shows has buttons of its own."""
        await self.ports.answers.mark([call.handled])
        return ""

    async def _say(self, call: CommandCall, lines: list[TurnLine]) -> None:
        ports = self.ports
        engines = tuple(ports.engines.ids())
        versions: dict[EngineId, str | None] = {}

        async def ask(engine: EngineId) -> None:
            with border("asking for a version", engine=engine) as found:
                versions[engine] = await ports.engines.version(engine)
            if found.error is not None:
                versions[engine] = tr("cannot tell its version: {why}", why=found.error[:200])

        async with anyio.create_task_group() as group:
            for engine in engines:
                group.start_soon(ask, engine)
        known = [EngineVersion(engine, versions[engine]) for engine in engines]
        with border("answering /status"):
            words = status_reply(lines, ports.version, known)
            await ports.answers.give(call.place, words, [call.handled])
