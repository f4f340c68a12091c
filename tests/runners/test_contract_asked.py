"""What every engine keeps of a turn's wishes, by being listed: files, modes, levels, lost sessions.

As in test_contract.py nothing here knows any engine by name. Pictures, modes, levels, models and
lost sessions are asked of those engines alone that declare them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fakes.pictures import write_png
from runners.cases import Case, cases, contract_engines, events_of, final, naming, runner_of
from takopi.core.permission_modes import NEUTRAL_MODES
from takopi.core.usage import read_usage
from takopi.errors import UsageError
from takopi.jsonl_fold import JsonlFold
from takopi.runner import JsonlSubprocessRunner
from takopi.turn import TurnRequest
from takopi.turn_context import bind_request

every_engine = pytest.mark.parametrize("engine", contract_engines())
ASKED = TurnRequest(prompt="hello")


def engines_with(declared: Callable[[JsonlSubprocessRunner], object]) -> pytest.MarkDecorator:
    """Give a test to those engines that declare something, and to no other."""
    chosen = [engine for engine in contract_engines() if declared(runner_of(engine))]
    return pytest.mark.parametrize("engine", chosen)


def lists_models(runner: JsonlSubprocessRunner) -> bool:
    """Tell whether a runner says that a turn can ask for a model."""
    own = type(runner).list_models is not JsonlSubprocessRunner.list_models
    return own or bool(runner.capabilities.models)


def started_with(engine: str, request: TurnRequest) -> tuple[list[str], bytes, dict[str, str]]:
    """Give arguments, standard input and environment of a turn, as a live one would."""
    runner = runner_of(engine)
    request = runner.with_attachments(request)
    with bind_request(request):
        state = runner.new_state(request.prompt, None)
        args = runner.build_args(request.prompt, None, state=state)
        given = runner.stdin_payload(request.prompt, None, state=state)
        return args, given or b"", runner.env(state=state) or {}


@every_engine
def test_a_file_that_is_no_picture_is_named_in_the_prompt(engine: str, tmp_path: Path) -> None:
    """Also one that only has the name of a picture: a model's server would refuse the turn."""
    files = [tmp_path / "notes.txt", tmp_path / "false.png", tmp_path / "gone.png"]
    for path in files[:2]:
        path.write_text("words")
    args, given, _ = started_with(engine, replace(ASKED, attachments=tuple(files)))
    for path in files:
        assert f"- {path}".encode() in given
        assert not any(str(path) in word for word in args)
    assert args == started_with(engine, ASKED)[0]


@engines_with(lambda runner: runner.capabilities.images)
def test_a_picture_is_handed_over_as_data(engine: str, tmp_path: Path) -> None:
    """Whatever its name is, no word of the command line can be taken for an option or two."""
    picture = write_png(tmp_path / "-x --full, $(a) 'b'.png")
    plain = write_png(tmp_path / "a.png")
    args, given, _ = started_with(engine, replace(ASKED, attachments=(picture, plain)))
    for path in (picture, plain):
        words = [word for word in args if str(path) in word]
        assert words or str(path).encode() in given
        for word in words:
            option = word.removesuffix(str(path))
            assert word.endswith(str(path))
            assert option in {"", "@"} or (option.startswith("--") and option.endswith("="))


@every_engine
def test_a_prompt_of_files_alone_is_a_prompt(engine: str, tmp_path: Path) -> None:
    """A document may come without a word."""
    path = tmp_path / "notes.txt"
    path.write_text("words")
    _, given, _ = started_with(engine, TurnRequest(prompt="", attachments=(path,)))
    assert f"Attached file: {path}".encode() in given


@engines_with(lambda runner: runner.capabilities.permission_modes)
def test_every_mode_that_is_declared_is_taken(engine: str) -> None:
    """A menu is made of them, the neutral ones in their order; each makes a difference."""
    modes = runner_of(engine).capabilities.permission_modes
    assert [mode for mode in modes if mode in NEUTRAL_MODES] == [
        mode for mode in NEUTRAL_MODES if mode in modes
    ]
    started = [started_with(engine, replace(ASKED, permission_mode=mode)) for mode in modes]
    assert len(modes) == 1 or any(one != started[0] for one in started)


@engines_with(lambda runner: runner.capabilities.permission_modes)
def test_a_mode_that_an_engine_lacks_is_refused(engine: str) -> None:
    """The text lists what there is."""
    with pytest.raises(UsageError) as refused:
        started_with(engine, replace(ASKED, permission_mode="yolo"))
    for mode in runner_of(engine).capabilities.permission_modes:
        assert mode in str(refused.value)
    assert "'yolo'" in str(refused.value)


@engines_with(lambda runner: runner.capabilities.reasoning_levels)
def test_every_level_that_is_declared_is_taken_and_others_are_refused(engine: str) -> None:
    """A level cannot become an option."""
    levels = runner_of(engine).capabilities.reasoning_levels
    for level in levels:
        assert any(
            level in word for word in started_with(engine, replace(ASKED, reasoning=level))[0]
        )
    with pytest.raises(UsageError, match=levels[-1]):
        started_with(engine, replace(ASKED, reasoning="--much"))


@engines_with(lists_models)
def test_a_model_is_taken_and_cannot_become_an_option(engine: str) -> None:
    """Models come from people and from menus."""
    with pytest.raises(UsageError, match="cannot be a model"):
        started_with(engine, replace(ASKED, model="--model"))
    assert "maker/m-1" in started_with(engine, replace(ASKED, model="maker/m-1"))[0]


@engines_with(lambda runner: runner.unknown_session_re)
def test_a_lost_session_is_known_by_what_the_engine_says(engine: str) -> None:
    """Only where one was asked for, and only of a run that had none."""
    lost: list[Case] = []
    for case in cases(engine):
        fold = JsonlFold(runner_of(engine), TurnRequest(prompt="", resume=case.resume))
        fold.feed(case.stdout)
        fold.finish(case.rc, stderr=case.stderr)
        if fold.session_unknown:
            lost.append(case)
        fresh = JsonlFold(runner_of(engine), TurnRequest(prompt=""))
        fresh.feed(case.stdout)
        fresh.finish(case.rc, stderr=case.stderr)
        assert not fresh.session_unknown
    assert lost
    for case in lost:
        assert case.resume is not None
        assert "start a new one" in str(final(events_of(case)).error)


@every_engine
def test_a_turn_that_was_ended_lost_no_session(engine: str) -> None:
    """A cancelled turn says nothing about its session."""
    for case in cases(engine):
        fold = JsonlFold(runner_of(engine), TurnRequest(prompt="", resume=case.resume))
        fold.finish(case.rc, stderr=case.stderr, ended_because="the turn was cancelled")
        assert not fold.session_unknown


@every_engine
def test_usage_has_the_common_keys(engine: str) -> None:
    """Others add these numbers up, by day and by engine; an engine may tell other numbers, too."""
    for case in cases(engine):
        usage = final(events_of(case)).usage
        if usage is not None:
            with naming(case):
                check_usage(usage)


def check_usage(usage: dict[str, Any]) -> None:
    """Check what must hold for the numbers of every engine that tells them."""
    read = read_usage(usage)
    assert (read.input_tokens is None) == (read.output_tokens is None)
    assert (read.cached_tokens or 0) <= (read.input_tokens or 0)
    assert (read.reasoning_tokens or 0) <= (read.output_tokens or 0)
    assert "cached_input_tokens" not in usage
