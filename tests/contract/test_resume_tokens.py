"""Resume lines: what is written can be read back, and nothing dangerous is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.scripted import ENGINE, ToyRunner
from takopi.errors import UsageError
from takopi.model import ResumeToken

RUNNER = ToyRunner()
VALUES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.:@=+-]{0,60}", fullmatch=True)


@given(VALUES, st.text(st.characters(categories=["L", "Zs"], include_characters="\n"), max_size=40))
def test_a_written_line_is_read_back(value: str, text: str) -> None:
    """Whatever stands before and after it."""
    token = ResumeToken(ENGINE, value)
    line = RUNNER.format_resume(token)
    assert RUNNER.is_resume_line(line)
    assert RUNNER.extract_resume(f"{text}\n{line}\n{text}") == token


def test_the_last_line_of_a_text_wins() -> None:
    """A reply quotes older lines first."""
    text = "`toy resume old`\nwords\ntoy resume new\n"
    assert RUNNER.extract_resume(text) == ResumeToken(ENGINE, "new")


@pytest.mark.parametrize("text", [None, "", "toy resume", "say toy resume x", "codex resume x"])
def test_a_text_without_a_line_names_no_session(text: str | None) -> None:
    """Neither an empty text nor another engine's line."""
    assert RUNNER.extract_resume(text) is None


@pytest.mark.parametrize("value", ["--yolo", "-c", "$(id)", "a;b", "x" * 501])
def test_a_value_that_could_be_an_option_or_worse_is_not_read(value: str) -> None:
    """It would stand in the engine's command line."""
    assert RUNNER.extract_resume(f"toy resume {value}") is None
    with pytest.raises(UsageError, match="cannot be a session of toy"):
        RUNNER.format_resume(ResumeToken(ENGINE, value))


def test_a_token_of_another_engine_is_refused() -> None:
    """The text says with which engine to continue it."""
    with pytest.raises(UsageError, match="belongs to codex, not to toy; continue it with codex"):
        RUNNER.format_resume(ResumeToken("codex", "s1"))
