"""Sizes are a test: a file holds one idea, a function does one thing."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

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
UTILS = {("src", "takopi", "utils"), ("tests", "utils")}  # the first is named by the plug-in API
NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)

BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def statements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """List what stands right below a statement; expressions are most of a tree, and hold none."""
    for field in BLOCKS:
        for child in getattr(node, field, ()):
            yield field, child


def functions(node: ast.AST) -> Iterator[Function]:
    """List every function below a node, methods and nested ones included."""
    for _, child in statements(node):
        if isinstance(child, Function):
            yield child
        yield from functions(child)


def parameters(function: Function) -> int:
    """Count the parameters a caller sees."""
    a = function.args
    names = [arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    return len([name for name in names if name not in {"self", "cls"}])


def nesting(node: ast.AST, depth: int = 0) -> int:
    """Measure how deep statements stand in one another; `elif` does not go deeper."""
    deepest = depth
    for field, child in statements(node):
        if isinstance(child, Function | ast.ClassDef):
            continue
        is_elif = isinstance(node, ast.If) and field == "orelse" and isinstance(child, ast.If)
        deeper = isinstance(child, NESTING) and not is_elif
        deepest = max(deepest, nesting(child, depth + deeper))
    return deepest


def complaints(of: Callable[[Path], Iterator[str]], paths: list[Path]) -> list[str]:
    """List what is wrong with files, each line with the file's name."""
    return [f"{path.relative_to(ROOT)}: {text}" for path in paths for text in of(path)]


def test_a_file_holds_one_idea() -> None:
    """No file is longer than 400 lines, none is named after nothing."""

    def wrong(path: Path) -> Iterator[str]:
        lines = len(path.read_text("utf-8").splitlines())
        if lines > MAX_FILE_LINES:
            yield f"has {lines} lines"
        if path.stem.strip("_") in FORBIDDEN_NAMES:
            yield "is named after nothing"
        named_utils = path.stem == "utils" or "utils" in path.relative_to(ROOT).parts[:-1]
        if named_utils and path.relative_to(ROOT).parts[:-1] not in UTILS:
            yield "is called utils"

    assert complaints(wrong, FILES) == []


def test_a_function_does_one_thing() -> None:
    """No function is longer than 60 lines, takes more than 6 values or nests deeper than 4."""
    assert complaints(lambda path: iter(read(path)[0]), SOURCES) == []


def test_what_is_public_is_documented() -> None:
    """Every public module, class, function and method says in one sentence what it is."""
    assert complaints(lambda path: iter(read(path)[1]), SOURCES) == []


@cache
def read(path: Path) -> tuple[list[str], list[str]]:
    """Tell what is too much in a file, and what says nothing: all trees are too many to keep."""
    tree = ast.parse(path.read_text("utf-8"))
    return list(too_much(tree)), list(without_words(tree))


def too_much(tree: ast.Module) -> Iterator[str]:
    """List the functions that do more than one thing."""
    for function in functions(tree):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            yield f"{function.name} has {lines} lines"
        if (taken := parameters(function)) > MAX_PARAMETERS:
            yield f"{function.name} takes {taken} parameters"
        if (depth := nesting(function)) > MAX_NESTING:
            yield f"{function.name} nests {depth} deep"


def without_words(tree: ast.Module) -> Iterator[str]:
    """List what is public and not documented."""
    if ast.get_docstring(tree) is None:
        yield "says nothing of itself"
    for node in tree.body:
        members = [node] if isinstance(node, Function) else []
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            members = [n for n in node.body if isinstance(n, Function)]
            if not ast.get_docstring(node):
                yield f"{node.name} says nothing of itself"
        yield from (f"{one.name} says nothing of itself" for one in members if mute(one))


def mute(function: Function) -> bool:
    """Tell whether a function that others call says nothing of itself."""
    hidden = function.name.startswith("_") or is_overload(function)
    return not hidden and not ast.get_docstring(function)


def is_overload(function: Function) -> bool:
    """Tell whether a function only gives types to another, or names an override."""
    names = {ast.unparse(decorator).split(".")[-1] for decorator in function.decorator_list}
    return bool(names & {"overload", "override", "setter"})
