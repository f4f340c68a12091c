"""The commands as data."""

import re

from hypothesis import given
from hypothesis import strategies as st

from takopi.core.commands import COMMANDS, GREETING, command_names, nearest_names


def test_every_command_fits_into_a_menu() -> None:
    """Names and descriptions keep the limits of the chat service."""
    for spec in COMMANDS:
        assert re.fullmatch(r"[a-z0-9_]{1,32}", spec.name)
        assert 1 <= len(spec.description) <= 256
        assert spec.example.startswith(f"/{spec.name}")
    assert len(set(command_names())) == len(COMMANDS) + 1
    assert GREETING in command_names()


@given(word=st.text(max_size=40), names=st.sets(st.text(min_size=1, max_size=10), max_size=8))
def test_nearest_names_are_known_and_few(word: str, names: set[str]) -> None:
    """At most three, each once, each known."""
    found = nearest_names(word, names)
    assert len(found) <= 3
    assert len(set(found)) == len(found)
    assert set(found) <= names


def test_typos_and_beginnings_find_their_command() -> None:
    """Both a slip and an unfinished word lead to the name."""
    names = ("cancel", "codex", "claude", "status")
    assert nearest_names("cancle", names) == ("cancel",)
    assert nearest_names("Clau", names)[0] == "claude"
    assert nearest_names("c", names) == ()
