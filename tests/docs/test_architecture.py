"""The page about the architecture says what the code is."""

import re
from pathlib import Path

import pytest

from takopi.core.turn_state import state_diagram
from takopi.process.run_directory import RunDirectory

ROOT = Path(__file__).parents[2]
PAGE = ROOT.joinpath("docs/explanation/architecture.md").read_text("utf-8")


def test_the_page_shows_the_table_of_states() -> None:
    """The diagram is the one that the code draws."""
    assert f"```mermaid\n{state_diagram()}```" in PAGE


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:\w+/)*\w+\.py)`", PAGE))))
def test_each_module_it_names_exists(name: str) -> None:
    """A module that moves changes the page."""
    assert any((ROOT / folder / name).is_file() for folder in ("src/takopi", "src", "."))


def test_the_page_names_every_file_of_a_run(tmp_path: Path) -> None:
    """Whoever looks into a run directory finds there what the table says."""
    directory = RunDirectory(tmp_path / "run")
    files = {
        value.name
        for name in dir(directory)
        if not name.startswith("_") and isinstance(value := getattr(directory, name), Path)
    } - {"run"}
    assert files
    for name in files:
        assert f"`{name}`" in PAGE
