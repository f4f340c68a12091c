"""Sizes are a test: a file holds one idea, a function does one thing."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(
    path
    for folder in ("src", "tests", "scripts", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
SOURCES = [path for path in FILES if (ROOT / "src") in path.parents]

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6
MAX_NESTING = 4
FORBIDDEN_NAMES = {"helpers", "helper", "manager", "common", "util", "misc"}
NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def relative(path: Path) -> str:
    """Name a file as a person would."""
    return str(path.relative_to(ROOT))


def functions(path: Path) -> list[Function]:
    """List every function of a file, methods and nested ones included."""
    tree = ast.parse(path.read_text("utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def parameters(function: Function) -> int:
    """Count the parameters a caller sees."""
    a = function.args
    names = [arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    return len([name for name in names if name not in {"self", "cls"}])


def nesting(node: ast.AST, depth: int = 0) -> int:
    """Measure how deep statements stand in one another; `elif` does not go deeper."""
    deepest = depth
    for field, child in [(f, c) for f, v in ast.iter_fields(node) for c in _children(v)]:
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and field == "orelse" and isinstance(child, ast.If)
        deeper = isinstance(child, NESTING) and not is_elif
        deepest = max(deepest, nesting(child, depth + deeper))
    return deepest


def _children(value: object) -> list[ast.AST]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, ast.AST)]


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_file_holds_one_idea(path: Path) -> None:
    """No file is longer than 400 lines, none is named after nothing."""
    assert len(path.read_text("utf-8").splitlines()) <= MAX_FILE_LINES
    assert path.stem.strip("_") not in FORBIDDEN_NAMES
    if path.stem == "utils" or "utils" in path.relative_to(ROOT).parts[:-1]:
        assert "takopi/utils" in path.as_posix() or "tests/utils" in path.as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_function_does_one_thing(path: Path) -> None:
    """No function is longer than 60 lines, takes more than 6 values or nests deeper than 4."""
    for function in functions(path):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        assert lines <= MAX_FUNCTION_LINES, f"{function.name} has {lines} lines"
        taken = parameters(function)
        assert taken <= MAX_PARAMETERS, f"{function.name} takes {taken} parameters"
        depth = nesting(function)
        assert depth <= MAX_NESTING, f"{function.name} nests {depth} deep"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_what_is_public_is_documented(path: Path) -> None:
    """Every public module, class, function and method says in one sentence what it is."""
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree) is not None, "the module says nothing of itself"
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} says nothing of itself"
            members = [n for n in node.body if isinstance(n, Function)]
        else:
            members = [node] if isinstance(node, Function) else []
        for member in members:
            hidden = member.name.startswith("_") or ast.get_docstring(member)
            assert hidden or is_overload(member), f"{member.name} says nothing of itself"


def is_overload(function: Function) -> bool:
    """Tell whether a function only gives types to another, or names an override."""
    names = {ast.unparse(decorator).split(".")[-1] for decorator in function.decorator_list}
    return bool(names & {"overload", "override", "setter"})
