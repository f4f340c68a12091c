"""What is behind /resume: an id, a line, a prompt, or nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.scripted_engine import ScriptedRunner
from takopi.core.decisions import RouteTable
from takopi.core.session_args import ResumeWish, UnknownEngine, looks_like_id, read_resume
from takopi.model import ResumeToken
from takopi.runners.claude import BACKEND as CLAUDE
from takopi.runners.codex import BACKEND as CODEX

UUID = "0199c8a2-5b1e-7c30-9d5e-3f6a8e1b2c4d"
TABLE = RouteTable(
    default_engine="codex",
    engines=("codex", "claude"),
    codecs=(ScriptedRunner("codex"), ScriptedRunner("claude")),
)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("", ResumeWish()),
        ("abc", ResumeWish(value="abc")),
        ("`abc` go on\nplease", ResumeWish(value="abc", prompt="go on\nplease")),
        ("codex abc", ResumeWish(engine="codex", value="abc")),
        ("/CLAUDE abc go on", ResumeWish(engine="claude", value="abc", prompt="go on")),
        ("codex", ResumeWish(engine="codex")),
        ("codex --session abc on", ResumeWish(engine="codex", value="abc", prompt="on")),
        ("codex resume abc", ResumeWish(session=ResumeToken("codex", "abc"))),
        ("codex resume abc on", ResumeWish(session=ResumeToken("codex", "abc"), prompt="on")),
        ("fix\ncodex resume abc", ResumeWish(session=ResumeToken("codex", "abc"), prompt="fix")),
        ("gemini resume abc", UnknownEngine("gemini")),
        ("/gemini abc", UnknownEngine("gemini")),
    ],
)  # fmt: skip
def test_sessions_are_named_in_many_ways(text: str, wish: object) -> None:
    assert read_resume(text, TABLE) == wish


def test_the_lines_of_real_engines_may_have_a_prompt_behind_them() -> None:
    """Their patterns want a line of their own."""
    runners = [backend.build_runner({}, None) for backend in (CODEX, CLAUDE)]
    table = RouteTable(default_engine="codex", engines=("codex", "claude"), codecs=tuple(runners))
    for runner in runners:
        session = ResumeToken(runner.engine, UUID)
        line = runner.format_resume(session)
        for words in (line, line.strip("`")):
            assert read_resume(words, table) == ResumeWish(session=session)
            named = read_resume(f"{words} run the tests", table)
            assert named == ResumeWish(session=session, prompt="run the tests")


@given(text=st.text(st.sampled_from("ab1-/`@ \nresume"), max_size=30))
def test_nothing_of_a_prompt_gets_lost(text: str) -> None:
    """What is not the name of the session is the prompt, in its order."""
    wish = read_resume(text, TABLE)
    if isinstance(wish, ResumeWish):
        assert text.strip().endswith(wish.prompt) or wish.session is not None


def test_ids_are_long_and_have_digits() -> None:
    assert looks_like_id(UUID)
    assert looks_like_id("ses_01JABCDEF")
    for word in ("", "fix", "refactoring", "a1", "-rf12345678", "$(reboot)12", "x" * 600 + "1"):
        assert not looks_like_id(word)
