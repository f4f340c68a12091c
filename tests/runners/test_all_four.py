"""What takopi's own engines keep beyond the contract, so that none of them is a lesser one."""

import pytest

from runners.cases import CONFIG_PATH, Case, backend_of, case, cases, events_of, final, runner_of
from takopi.core.usage import read_usage
from takopi.errors import ConfigError, UsageError
from takopi.model import ResumeToken

each_of_the_four = pytest.mark.parametrize("engine", ["claude", "codex", "opencode", "pi"])


@each_of_the_four
def test_a_misspelt_key_is_told_with_the_right_one(engine: str) -> None:
    """A person need not look it up."""
    with pytest.raises(ConfigError, match="did you mean `model`\\?"):
        backend_of(engine).build_runner({"modle": "x"}, CONFIG_PATH)


@each_of_the_four
def test_a_resume_line_is_a_command_of_the_engine(engine: str) -> None:
    """A person can paste it into a terminal, so another engine's session makes none."""
    value = "01a1fc42-bad0-7db3-a6b5-191279486cb0"
    line = runner_of(engine).format_resume(ResumeToken(engine, value))
    assert line.startswith(f"`{engine} ")
    with pytest.raises(UsageError, match="belongs to another"):
        runner_of(engine).format_resume(ResumeToken("another", value))


@each_of_the_four
def test_all_wishes_can_be_asked(engine: str) -> None:
    """The two ends of the modes exist everywhere; so do levels, models, pictures."""
    said = runner_of(engine).capabilities
    assert {"plan", "full"} <= set(said.permission_modes)
    assert said.reasoning_levels
    assert said.images
    assert runner_of(engine).unknown_session_re


@each_of_the_four
def test_usage_tells_tokens(engine: str) -> None:
    """Days and budgets are added up from them."""
    told = [usage for one in cases(engine) if (usage := final(events_of(one)).usage) is not None]
    assert told
    for usage in told:
        assert read_usage(usage).input_tokens is not None
        assert read_usage(usage).output_tokens is not None


@each_of_the_four
def test_an_object_of_no_kind_is_reported(engine: str) -> None:
    """All their lines name their kind, so one that does not is a mistake of somebody's."""
    plain = case(engine, "plain")
    noisy = Case(engine, "noisy", b"{}\n" + plain.stdout, plain.rc, plain.stderr, plain.resume)
    assert len(events_of(noisy)) == len(events_of(plain)) + 1
    assert final(events_of(noisy)).answer == final(events_of(plain)).answer
