"""The page about the plug-in API has every public name, in the words of the code."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from takopi import api

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference/plugin-api.md").read_text("utf-8")
FOR_AUTHORS = ("reference/runner-contract.md", *(f"how-to/add-{name}.md" for name in (
    "a-command", "a-transport", "an-engine")))  # fmt: skip
ROWS = re.findall(r"(?m)^\| `(\w+)` \| (.+) \|$", PAGE)


def test_every_name_has_one_line() -> None:
    """And none stands there that is not public."""
    assert sorted(name for name, _ in ROWS) == sorted(api.__all__)


@pytest.mark.parametrize(("name", "words"), ROWS)
def test_a_line_is_the_first_sentence_of_the_docstring(name: str, words: str) -> None:
    """What is no class and no function has words of the page's own."""
    value = getattr(api, name)
    if inspect.isfunction(value) or (inspect.isclass(value) and value is not str):
        first = (inspect.getdoc(value) or "").split("\n\n")[0]
        assert words == " ".join(first.replace("``", "`").split())


def names_elsewhere() -> set[str]:
    """Return the names that the page takes from other modules, each with its module."""
    rows = re.findall(r"(?m)^- `(takopi\.[\w.]+)`: (.+)$", PAGE)
    return {f"{module}.{name}" for module, names in rows for name in re.findall(r"`(\w+)`", names)}


@pytest.mark.parametrize("page", FOR_AUTHORS)
def test_what_the_pages_take_from_other_modules_stands_there(page: str) -> None:
    """Whoever reads that a plug-in imports nothing else is not told otherwise elsewhere."""
    text = (DOCS / page).read_text("utf-8")
    used = set(re.findall(r"`(takopi(?:\.[a-z_]+)+\.\w+)(?:\(.*)?`", text))
    for module, names in re.findall(r"(?m)^from (takopi\.[\w.]+) import ([\w, ]+)$", text):
        used |= {f"{module}.{name.strip()}" for name in names.split(",")}
    assert {name for name in used if not name.startswith("takopi.api.")} <= names_elsewhere()


def test_the_names_of_other_modules_are_there() -> None:
    """Each in the module that the page names."""
    assert names_elsewhere()
    for name in names_elsewhere():
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
