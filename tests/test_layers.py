"""Imports go downwards only; the picture stands in docs/explanation/architecture.md."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "takopi"

# Lowest first. A module may import from its own layer and those below; `APART` names rooms of one
# layer that do not know each other. Every other module of the package's top, with `schemas`,
# `settings`, `utils` and two modules of `runners`, is the contract that engine authors see.
LAYERS: list[set[str]] = [
    {"model", "context", "errors", "texts", "__init__"},
    {"core"},
    {"contract"},
    {"bridge"},
    {"telegram", "terminal", "store", "process", "runners", "files", "voice", "worktrees"},
    {"app"},
    {"cli", "__main__"},
]  # fmt: skip
APART = {"telegram", "terminal", "store", "process", "runners", "files", "voice", "worktrees"}
OUTSIDE = {"api"}  # re-exports for plug-ins; nothing of takopi imports it

CONTRACT_OF_RUNNERS = {"runners", "runners.run_options", "runners.tool_actions"}

# The one lazy import that goes up: a runner that is used without an app still needs a host.
LAZY_UPWARDS = {("takopi.runner_runtime", "process")}

CORE_FORBIDDEN = {
    "aiogram", "aiohttp", "anyio", "asyncio", "io", "os", "psutil", "random", "shutil", "socket",
    "subprocess", "tempfile", "threading", "time",
}  # fmt: skip

# Where statements hold others.
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def room_of(dotted: str) -> str:
    """Name the room of a module: `takopi.core.route` is in `core`."""
    rest = dotted.removeprefix("takopi").lstrip(".") or "__init__"
    if rest in CONTRACT_OF_RUNNERS:
        return "contract"
    first = rest.split(".")[0]
    named = first in OUTSIDE or any(first in layer for layer in LAYERS)
    return first if named else "contract"


def height(room: str) -> int:
    """Give the number of a room's layer."""
    for number, layer in enumerate(LAYERS):
        if room in layer:
            return number
    raise AssertionError(f"{room} stands in no layer; add it to LAYERS and to architecture.md")


def modules() -> list[Path]:
    """List every module of the package."""
    return sorted(SOURCE.rglob("*.py"))


def dotted_name(path: Path) -> str:
    """Turn a path below src into a module's name."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def for_running(node: ast.AST) -> Iterator[ast.AST]:
    """List the statements below a node that run; expressions, most of a tree, import nothing."""
    for_types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    for field in BLOCKS[1:] if for_types else BLOCKS:
        for child in getattr(node, field, ()):
            yield child
            yield from for_running(child)


@cache
def imported(path: Path) -> frozenset[str]:
    """Collect the dotted names that a module imports for running, at any depth."""
    found: set[str] = set()
    for node in for_running(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add(node.module or "")
            if node.module in {"takopi", "takopi.runners"}:
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def upwards(path: Path) -> Iterator[str]:
    """List the imports of a module from a layer above its own, or from a room beside it."""
    here = room_of(dotted_name(path))
    if here in OUTSIDE:
        return
    for name in imported(path):
        if not name.startswith("takopi.") or name == "takopi.__version__":
            continue
        there = room_of(name)
        if there in {here, "__init__"} or (dotted_name(path), there) in LAZY_UPWARDS:
            continue
        who = f"{path.relative_to(SOURCE)} ({here})"
        if there in OUTSIDE:
            yield f"{who} imports {name}, which is for plug-ins only"
        elif height(there) > height(here):
            yield f"{who} imports upwards: {name}"
        elif here in APART and there in APART:
            yield f"{who} imports its neighbour {name}"


def test_imports_go_downwards() -> None:
    """No module imports from a layer above its own, nor from a room beside it."""
    assert [line for path in modules() for line in upwards(path)] == []


def test_the_core_does_nothing_but_decide() -> None:
    """The core reads no clock, file, network or randomness."""
    for path in sorted((SOURCE / "core").rglob("*.py")):
        for name in imported(path):
            assert name.split(".")[0] not in CORE_FORBIDDEN, f"{path} imports {name}"
            inside = not name.startswith("takopi.") or height(room_of(name)) <= 1
            assert inside, f"{path} imports {name}"


def names_aiogram(path: Path) -> bool:
    """Tell whether a module imports aiogram anywhere."""
    names = imported(path)
    return any(name.split(".")[0] == "aiogram" for name in names)


def test_aiogram_is_named_by_telegram_alone() -> None:
    """Only the telegram package may name aiogram."""
    for path in filter(names_aiogram, modules()):
        assert room_of(dotted_name(path)) == "telegram", f"{path} imports aiogram"


def test_aiogram_is_imported_by_running_the_bot_alone() -> None:
    """Importing every module but the one that is made of aiogram leaves it unimported."""
    lazy = {"takopi.telegram.aiogram_api"}
    wanted = [name for path in modules() if (name := dotted_name(path)) not in lazy]
    code = (
        "import importlib, sys\n"
        f"for name in {[n for n in wanted if not n.endswith('__main__')]!r}:\n"
        "    importlib.import_module(name)\n"
        "    assert 'aiogram' not in sys.modules, name\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
