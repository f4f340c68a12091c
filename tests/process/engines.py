"""Small programs that behave as engines do, well and badly."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from takopi.process import holder
from takopi.process.identity import is_alive, stat_fields
from takopi.run_host import Run, RunSpec

HOLDER = Path(holder.__file__)

# A tree as engines leave it: a tool in its own session, one that lost its parent, one that also
# cleared its environment, and one of those that does not listen. Each writes down its pid.
TREE = r"""
pids=$1
setsid sh -c 'echo $$ >> "$0"; exec sleep 300' "$pids" &
(setsid sh -c 'echo $$ >> "$0"; exec sleep 301' "$pids" &)
(env -i "$(command -v setsid)" sh -c 'echo $$ >> "$0"; exec sleep 302' "$pids" &)
(env -i "$(command -v setsid)" sh -c \
    'trap "" TERM INT HUP; echo $$ >> "$0"; while :; do sleep 303; done' "$pids" &)
while [ "$(wc -l < "$pids")" -lt 4 ]; do :; done
echo ready
"""


def measuring() -> bool:
    """Tell whether coverage is measured, which also wants to see the holders."""
    return "COVERAGE_PROCESS_CONFIG" in os.environ


def holder_command() -> tuple[str, ...]:
    """Return how holders are started: as always, but for coverage, which needs `site`."""
    return (sys.executable, *(() if measuring() else ("-I", "-S")), str(HOLDER))


def environment() -> dict[str, str]:
    """Return what an engine needs of the environment."""
    return {
        name: value
        for name, value in os.environ.items()
        if name == "PATH" or name.startswith("COVERAGE_")
    }


def shell(script: str, *args: str, cwd: Path = Path("/"), **more: object) -> RunSpec:
    """Return an engine that is a shell script."""
    argv = ("sh", "-c", script, "engine", *args)
    return RunSpec(engine="fake", argv=argv, cwd=cwd, env=environment(), **more)


def python(script: str, *args: str, cwd: Path = Path("/"), **more: object) -> RunSpec:
    """Return an engine that is a Python script."""
    argv = (sys.executable, "-I", "-S", "-c", script, *args)
    env = {"PATH": os.environ["PATH"]} if not measuring() else environment()
    return RunSpec(engine="fake", argv=argv, cwd=cwd, env=env, **more)


async def first_line(chunks: AsyncIterator[bytes]) -> bytes:
    """Return what an engine wrote up to its first newline."""
    said = b""
    while b"\n" not in said:
        said += await anext(chunks)
    return said


async def everything(run: Run) -> bytes:
    """Return all that an engine writes."""
    return b"".join([chunk async for chunk in run.follow()])


class Named:
    """Be processes that were alive once, known for sure."""

    def __init__(self, pids: list[int]) -> None:
        self.identities = []
        for pid in pids:
            fields = stat_fields(pid)
            assert fields is not None
            assert fields[0]
            self.identities.append((pid, fields[2]))

    @classmethod
    def written_in(cls, path: Path) -> "Named":
        """Read them from a file with a pid a line."""
        return cls([int(line) for line in path.read_text().split()])

    def alive(self) -> list[int]:
        """Return those that still live."""
        return [pid for pid, start in self.identities if is_alive(pid, start)]
