"""A stage for live turns: a scripted host, and turns opened on it."""

from pathlib import Path
from typing import Any

from contract.scripted import ENGINE, Script, ScriptedHost, ToyRunner
from takopi.model import ResumeToken, TakopiEvent
from takopi.runner import open_turn
from takopi.turn import LiveTurn, TurnRequest

S1 = ResumeToken(ENGINE, "s1")


class Stage:
    """Hold the host of one test and open turns on it."""

    def __init__(self) -> None:
        self.host = ScriptedHost()

    def scripts(self, *scripts: Script | Exception) -> ScriptedHost:
        """Say what the next runs play."""
        self.host.scripts = list(scripts)
        return self.host

    def open(self, resume: ResumeToken | None = None, runner: Any = None, **more: Any) -> LiveTurn:
        """Open a turn."""
        request = TurnRequest(**{"prompt": "hi", "resume": resume, "cwd": Path("/w")} | more)
        return open_turn(runner or ToyRunner(), request)


async def read(turn: LiveTurn) -> list[TakopiEvent]:
    """Return all events of a turn and close it."""
    events = [event async for event in turn]
    await turn.aclose()
    return events
