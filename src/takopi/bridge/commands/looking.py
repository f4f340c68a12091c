"""/help and /status: commands that change nothing."""

from dataclasses import dataclass

import anyio

from takopi.bridge.border import border
from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.commands.plugin import describe
from takopi.core.commands import GREETING
from takopi.core.replies import EngineVersion, TurnLine, help_reply, status_reply
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
        """List commands and engines."""
        ports = self.ports
        words = help_reply(ports.engines.ids(), ports.default_engine, describe(ports.plugins))
        await ports.answers.give(call.place, words, [call.handled])

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
                versions[engine] = f"cannot tell its version: {found.error[:200]}"

        async with anyio.create_task_group() as group:
            for engine in engines:
                group.start_soon(ask, engine)
        known = [EngineVersion(engine, versions[engine]) for engine in engines]
        with border("answering /status"):
            words = status_reply(lines, ports.version, known)
            await ports.answers.give(call.place, words, [call.handled])
