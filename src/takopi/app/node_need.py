"""Why an engine that is a JavaScript program does not run: the Node it wants and the one there is.

An engine that meets an old Node dies of a syntax error, which tells a person nothing.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import anyio
import msgspec

__all__ = ["node_fault", "too_old", "wanted_node"]

ASK_TIMEOUT_S = 10
_MAX_LEVELS = 6


class _Engines(msgspec.Struct):
    node: str = ""


class _Package(msgspec.Struct):
    engines: _Engines = msgspec.field(default_factory=_Engines)


async def node_fault(program: Path, environment: Mapping[str, str]) -> str:
    """Say which Node a program misses; empty when that is not why it fails.

    Args:
        program: The engine's CLI.
        environment: In which it runs.
    """
    wanted = wanted_node(program)
    if not wanted:
        return ""
    node = shutil.which("node", path=environment.get("PATH"))
    if node is None:
        return f"it wants Node {wanted}, and there is no `node` on PATH; install Node"
    have = await _ask(node, environment)
    if not too_old(have, wanted):
        return ""
    return (
        f"it wants Node {wanted}, and {node} is {have}; install a newer Node, or put one first on "
        "PATH"
    )


def wanted_node(program: Path) -> str:
    """Return which Node a program's package declares; empty when it is no program of Node."""
    try:
        script = program.resolve(strict=True)
        with script.open("rb") as file:
            first = file.readline(200)
        if not re.match(rb"#!.*\bnode\b", first):
            return ""
        for folder in list(script.parents)[:_MAX_LEVELS]:
            about = folder / "package.json"
            # A package may have bare ones inside, which only say how modules are written.
            if about.is_file() and (
                node := msgspec.json.decode(about.read_bytes(), type=_Package).engines.node
            ):
                return node
    except (OSError, msgspec.DecodeError):
        pass
    return ""


def too_old(have: str, wanted: str) -> bool:
    """Tell whether a version is below what `>=X.Y.Z` wants; what is written otherwise is met."""
    lowest = re.fullmatch(r"\s*>=\s*v?(\d+(?:\.\d+){0,2})\s*", wanted)
    found = re.match(r"v?(\d+(?:\.\d+){0,2})", have)
    if lowest is None or found is None:
        return False
    return _numbers(found[1]) < _numbers(lowest[1])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in (version + ".0.0").split(".")[:3])


async def _ask(node: str, environment: Mapping[str, str]) -> str:
    try:
        with anyio.fail_after(ASK_TIMEOUT_S):
            done = await anyio.run_process(
                [node, "--version"], check=False, env=environment, stderr=subprocess.DEVNULL
            )
    except (OSError, TimeoutError):
        return ""
    return done.stdout.decode(errors="replace").strip()
