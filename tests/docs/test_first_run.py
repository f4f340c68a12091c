"""The tutorial's first start is the one that takopi asks for."""

from pathlib import Path

from takopi.core.onboarding import STYLES, TITLES

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial" / "first-run.md").read_text("utf-8")


def test_the_steps_are_those_of_the_set_up() -> None:
    """In order, under the same titles."""
    rows = [line for line in PAGE.splitlines() if line[:2] == "| " and line[2].isdigit()]
    titles = [row.split("|")[1].strip() for row in rows]
    assert titles == [f"{number} {title}" for number, title in enumerate(TITLES.values(), 1)]


def test_the_styles_are_those_that_are_offered() -> None:
    """With what each writes."""
    for style in STYLES:
        (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {style.id} |")]
        assert f'`session_mode = "{style.session_mode}"`' in row
        assert ("enabled = true" in row) == style.topics
