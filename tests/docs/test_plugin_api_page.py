"""The page about the plug-in API has every public name, in the words of the code."""

import inspect
import re
from pathlib import Path

import pytest

from takopi import api

PAGE = Path(__file__).parents[2].joinpath("docs/reference/plugin-api.md").read_text("utf-8")
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
