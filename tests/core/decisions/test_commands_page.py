"""The reference page says what the code does."""

from pathlib import Path

from takopi.core.commands import command_names
from takopi.core.gathering import ALBUM_WAIT_S, LONG_UNITS, LONG_WAIT_S
from takopi.core.offers import CHOICES
from takopi.core.outbox_budget import OutboxLimits

PAGE = Path(__file__).parents[3].joinpath("docs/reference/commands.md").read_text("utf-8")


def test_the_page_names_every_command() -> None:
    """A command that is answered is explained."""
    for name in command_names():
        assert f"`/{name}`" in PAGE


def test_the_page_has_the_numbers_of_gathering() -> None:
    """What is joined, and how long a start waits for it."""
    for words in (
        f"until {ALBUM_WAIT_S:g} s after the last part",
        f"a text of at least {LONG_UNITS:,} units",
        f"it comes within {LONG_WAIT_S:g} s | for {LONG_WAIT_S:g} s",
    ):
        assert words in PAGE


def test_the_page_names_every_choice() -> None:
    """A button that is shown is explained."""
    for choices in CHOICES.values():
        for label in choices.values():
            assert f"*{label}*" in PAGE


def test_the_page_has_the_numbers_of_the_budgets() -> None:
    """A limit that changes changes the page."""
    limits = OutboxLimits()
    for words in (
        f"{limits.group_per_min} in any minute, {limits.group_reserved} of them",
        f"at least {limits.private_gap_s:g} s apart | at least {limits.group_gap_s:g} s apart",
        f"| {limits.edits_per_min} | {limits.edits_per_min} |",
        f"every {limits.beat_s:g} s, after {limits.slow_after_s / 60:g} minutes "
        f"every {limits.slow_beat_s:g} s",
        f"at most {limits.global_per_s} calls a second",
    ):
        assert words in PAGE
