"""The page about the command line names what the command line has."""

from pathlib import Path
from typing import Any

import pytest
import typer.main

from takopi.cli.root import app
from takopi.engines import find_engines

PAGE = Path(__file__).parents[2].joinpath("docs/reference/cli.md").read_text("utf-8")
ROOT: Any = typer.main.get_command(app)
ENGINES = find_engines(Path("/nowhere")).ids
COMMANDS = {name: command for name, command in ROOT.commands.items() if name not in ENGINES}


def missing(command: Any, text: str) -> list[str]:
    """List the options that help shows and a text does not name, neither long nor short."""
    shown = (one.opts for one in command.params if one.opts[0][0] == "-" and not one.hidden)
    return [names[0] for names in shown if not any(name in text for name in names)]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_section_with_all_it_takes(name: str) -> None:
    """Its sub-commands and options stand there."""
    command = COMMANDS[name]
    section = PAGE.partition(f"\n## takopi {name}\n")[2].partition("\n## ")[0]
    assert section, f"there is no section about {name}"
    inner = getattr(command, "commands", {})
    for inner_name, one in {"": command, **inner}.items():
        assert inner_name in section
        assert missing(one, section) == [], inner_name


def test_the_options_of_takopi_itself_are_there() -> None:
    """And those of a turn, whichever engine does it."""
    assert missing(ROOT, PAGE) + missing(ROOT.get_command(None, "codex"), PAGE) == []
