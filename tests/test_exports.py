"""What a module says it offers is there, and nothing is promised twice."""

import ast
import importlib
import re
from pathlib import Path

from takopi import errors

SOURCE = Path(__file__).parent.parent / "src" / "takopi"


def with_all() -> list[str]:
    """List the modules that declare what they offer."""
    names = []
    for path in sorted(SOURCE.rglob("*.py")):
        if "__all__" in path.read_text("utf-8"):
            parts = path.relative_to(SOURCE.parent).with_suffix("").parts
            names.append(".".join(part for part in parts if part != "__init__"))
    return names


def broken_promises(name: str) -> list[str]:
    """List the names that a module promises twice or does not have."""
    module = importlib.import_module(name)
    promised = list(module.__all__)
    twice = {one for one in promised if promised.count(one) > 1}
    return [f"{name}.{one}" for one in promised if one in twice or not hasattr(module, one)]


def test_every_promised_name_exists() -> None:
    """Each name of each `__all__` is there, once."""
    assert [one for name in with_all() for one in broken_promises(name)] == []


def test_every_public_module_declares_its_names() -> None:
    """A module that plug-ins import says with `__all__` what it offers."""
    public = [p for p in SOURCE.glob("*.py") if not p.stem.startswith("_")]
    public += [p for p in (SOURCE / "utils").glob("*.py") if not p.stem.startswith("_")]
    for path in public:
        tree = ast.parse(path.read_text("utf-8"))
        targets = [
            ast.unparse(t) for n in tree.body if isinstance(n, ast.Assign) for t in n.targets
        ]
        assert "__all__" in targets, f"{path.name} has no __all__"


def test_the_tree_of_errors_names_each() -> None:
    """Whoever handles an error finds its leaf, and what to do about it, in one picture."""
    named = re.findall(r"(?m)^[ │├└─]+ (\w+)", errors.__doc__ or "")
    assert set(errors.__all__) - {"TakopiError"} <= set(named)
