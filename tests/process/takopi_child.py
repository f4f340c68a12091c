"""Be a takopi that a test can kill: play one turn of a scripted engine and print its events.

`python takopi_child.py CONFIG`, where CONFIG is JSON: runs, home_id, run_id, engine (path of a
script), resume, holder (command). Each event is a line with its type; `resume` names a session.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from contract.scripted import ENGINE, ToyRunner
from process.engines import holder_command
from takopi.model import ResumeToken
from takopi.process.host import LocalRunHost
from takopi.runner import RunnerRuntime, bind_runtime, open_turn
from takopi.turn import LiveTurn, TurnRequest

PRELUDE = """
import json, os, sys, time, subprocess
def tell(**data): print(json.dumps(data), flush=True)
def wait(name):
    with open(name) as file: file.read()
prompt = sys.stdin.read()
"""


@dataclass
class Scripted(ToyRunner):
    """Run a Python script as the engine; the hooks of a start are counted."""

    path: Path = Path()
    starts: int = 0

    def command(self) -> str:
        return sys.executable

    def start_run(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> None:
        self.starts += 1

    def build_args(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> list[str]:
        self.starts += 1
        return ["-I", "-S", str(self.path)]

    def env(self, *, state: Any) -> dict[str, str] | None:
        self.starts += 1
        return None


def engine_script(path: Path, source: str) -> Scripted:
    """Write down an engine; `tell(**data)` prints a line, `wait(fifo)` waits for a word."""
    path.write_text(PRELUDE + source)
    return Scripted(path=path)


class TakopiChild:
    """Hold a child takopi.

    Args:
        config: As the module says; what is left out has a default.
    """

    def __init__(self, **config: Any) -> None:
        given = {"resume": None, "holder": holder_command(), "run_id": "r1", "detach": False}
        self.process = subprocess.Popen(
            [sys.executable, __file__, json.dumps({**given, **config}, default=str)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
            start_new_session=True,
        )

    async def line(self) -> str:
        """Return the next line that it prints; empty when it is gone."""
        assert self.process.stdout
        line = await anyio.to_thread.run_sync(self.process.stdout.readline)
        return line.decode().strip()

    async def until(self, line: str) -> None:
        """Return once it printed this line."""
        while (found := await self.line()) != line:
            assert found, f"it ended before it printed {line}"

    async def rest(self) -> list[str]:
        """Return what else it prints, and wait for its end."""
        lines = []
        while line := await self.line():
            lines.append(line)
        await anyio.to_thread.run_sync(self.process.wait)
        self._close()
        return lines

    def kill(self) -> None:
        """End it as a crash does, with its whole group."""
        os.killpg(self.process.pid, 9)
        self.process.wait()
        self._close()

    def _close(self) -> None:
        assert self.process.stdout
        self.process.stdout.close()


async def play(turn: LiveTurn, *, detach: bool) -> None:
    """Print the events of a turn."""
    async for event in turn:
        text = getattr(getattr(event, "action", None), "title", "")
        print(event.type, text, sep=" " if text else "", flush=True)
        if detach and event.type == "action":
            print("detached", turn.detach(), flush=True)
    await turn.aclose()
    print("closed", flush=True)


def main(config: dict[str, Any]) -> None:
    """Play the turn."""
    host = LocalRunHost(
        Path(config["runs"]), config["home_id"], holder_command=tuple(config["holder"])
    )
    resume = config["resume"]
    request = TurnRequest(
        prompt="hi",
        resume=ResumeToken(ENGINE, resume) if resume else None,
        cwd=Path(config["engine"]).parent,
        run_id=config["run_id"],
    )
    with bind_runtime(RunnerRuntime(host=host)):
        turn = open_turn(Scripted(path=Path(config["engine"])), request)

        async def run() -> None:
            await play(turn, detach=config["detach"])

        anyio.run(run)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
