"""The contract that every engine keeps over its recorded streams, by being listed.

An engine is listed by being found and by having a folder in tests/fixtures; nothing here knows
any engine by name. The engine of the page that explains engines is listed, too: what the suite asks
of an engine is what the page shows. What is asked only of an engine that declares something has no
test for the others.
"""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.cases import (
    CONFIG_PATH,
    FIXTURES,
    Case,
    backend_of,
    cases,
    contract_engines,
    engines,
    events_of,
    naming,
    runner_of,
)
from takopi.engines import find_engines
from takopi.errors import ConfigError
from takopi.jsonl_fold import JsonlFold
from takopi.model import ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.runner import JsonlSubprocessRunner
from takopi.turn import TurnRequest

PHASES = ("started", "updated", "completed")

every_engine = pytest.mark.parametrize("engine", contract_engines())


def cut_at(stream: bytes, points: list[int]) -> list[bytes]:
    """Cut a stream at some points."""
    places = [0, *sorted(point % (len(stream) + 1) for point in points), len(stream)]
    return [stream[a:b] for a, b in pairwise(places)]


def check_rules(events: list[TakopiEvent], case: Case | None = None) -> None:
    """Check what must hold for every turn of every engine."""
    ends = [n for n, event in enumerate(events) if isinstance(event, CompletedEvent)]
    assert ends == [len(events) - 1], "one CompletedEvent, and it is the last"
    final = events[-1]
    assert isinstance(final, CompletedEvent)
    starts = [event for event in events if isinstance(event, StartedEvent)]
    assert len(starts) <= 1
    if starts:
        assert final.resume == starts[0].resume
    elif case is not None:
        assert final.resume == case.resume
        assert not final.ok, "a turn that went well has a session"
    assert final.ok == (final.error is None)
    assert final.ok or final.error
    check_phases(events)


def check_phases(events: list[TakopiEvent]) -> None:
    """Check that each action goes forward: started, updated any number of times, completed."""
    last: dict[str, tuple[int, str]] = {}
    for event in events:
        if not isinstance(event, ActionEvent):
            continue
        action = event.action
        assert action.id, "an action has an id"
        assert action.title, "an action has a title"
        phase = PHASES.index(event.phase)
        before, kind = last.get(action.id, (-1, action.kind))
        assert kind == action.kind, f"{action.id} changes its kind"
        assert phase > before or (phase == before == 1), f"{action.id} goes back to {event.phase}"
        assert event.ok is None or event.phase == "completed"
        last[action.id] = (phase, kind)


@every_engine
def test_a_recorded_run_keeps_the_rules(engine: str) -> None:
    """Whatever an engine was seen to print makes one well-formed turn."""
    for case in cases(engine):
        with naming(case):
            check_rules(events_of(case), case)


@every_engine
def test_what_a_turn_says_can_be_written_as_json(engine: str) -> None:
    """Events go to `--json` and to the journal, so every one of them has a JSON form."""
    for case in cases(engine):
        with naming(case):
            for event in events_of(case):
                msgspec.json.decode(msgspec.json.encode(event))


@every_engine
def test_a_replay_gives_the_same_events(engine: str) -> None:
    """State is a fold over the output, so that a restart goes on where the run was."""
    for case in cases(engine):
        with naming(case):
            assert events_of(case) == events_of(case)


@every_engine
@pytest.mark.timeout(120)
def test_bytes_one_by_one_give_the_same_events(engine: str) -> None:
    """It does not matter how the output arrives."""
    for case in cases(engine):
        with naming(case):
            assert events_of(case, byte_by_byte(case.stdout)) == events_of(case)


def byte_by_byte(stream: bytes) -> list[bytes]:
    """Cut a stream into its bytes; of one with long lines, those in large pieces."""
    if len(stream) <= 60_000:
        return [stream[n : n + 1] for n in range(len(stream))]
    edge = stream.find(b"\n", stream.find(b"\n", 30_000) + 1)
    return [*(stream[n : n + 1] for n in range(2_000)), stream[2_000:edge], stream[edge:]]


@every_engine
@given(data=st.data())
def test_any_cut_gives_the_same_events(engine: str, data: st.DataObject) -> None:
    """The output may be cut anywhere, within a character too."""
    case = data.draw(st.sampled_from(cases(engine)))
    points = data.draw(st.lists(st.integers(min_value=0, max_value=1 << 20), max_size=20))
    assert events_of(case, cut_at(case.stdout, points)) == events_of(case)


@every_engine
@given(data=st.data())
def test_a_run_that_stops_anywhere_keeps_the_rules(engine: str, data: st.DataObject) -> None:
    """A killed engine leaves any beginning of its output, and any exit status."""
    case = data.draw(st.sampled_from(cases(engine)))
    end = data.draw(st.integers(min_value=0, max_value=len(case.stdout)))
    rc = data.draw(st.sampled_from([0, 1, 143, -9, -15, None]))
    stopped = Case(case.engine, case.name, case.stdout[:end], rc, case.stderr, case.resume)
    check_rules(events_of(stopped))


def ends_with_its_process(engine: str) -> bool:
    """Tell whether an engine has no last event: it makes the end out of the end of its output."""
    hook = type(runner_of(engine)).stream_end_events
    return hook is not JsonlSubprocessRunner.stream_end_events


@every_engine
def test_what_comes_after_the_end_is_dropped(engine: str) -> None:
    """A second result, or a whole second turn, does not change what was said."""
    tried = 0
    for case in cases(engine):
        fold = JsonlFold(runner_of(engine), TurnRequest(prompt="", resume=case.resume))
        fold.feed(case.stdout)
        if fold.rules.completed is None:
            continue  # this run ended with its process
        tried += 1
        twice = Case(engine, case.name, case.stdout * 2, case.rc, case.stderr, case.resume)
        assert events_of(twice) == events_of(case)
    assert tried or ends_with_its_process(engine)


@every_engine
def test_another_session_than_the_one_asked_for_is_refused(engine: str) -> None:
    """An answer out of another session is not taken for one of this session."""
    tried = 0
    for case in cases(engine):
        if not any(isinstance(event, StartedEvent) for event in events_of(case)):
            continue
        tried += 1
        other = ResumeToken(engine, "00000000-dead-7000-8000-000000000000")
        strange = Case(engine, case.name, case.stdout, case.rc, case.stderr, other)
        final = events_of(strange)[-1]
        assert not final.ok
        assert final.resume == other
        if case.resume is None and events_of(case)[-1].ok:
            assert other.value in str(final.error)
    assert tried


@every_engine
def test_an_engine_that_prints_nothing_has_an_error(engine: str) -> None:
    """No output is never a good end, whatever the exit status."""
    for rc in (0, 1, None, -9):
        silent = Case(engine, "silent", b"", rc, "", None)
        events = events_of(silent)
        check_rules(events)
        assert engine in str(events[-1].error)


@every_engine
def test_garbage_is_reported_and_not_fatal(engine: str) -> None:
    """Lines that are no JSON, or no object, are warnings among the actions."""
    case = next(one for one in cases(engine) if events_of(one)[-1].ok and one.resume is None)
    for garbage in (b"Segmentation fault\n", b"[1, 2]\n", b"null\n", b'"x"\n', b"\xff\n"):
        noisy = Case(engine, "noisy", garbage + case.stdout, case.rc, case.stderr, case.resume)
        events = events_of(noisy)
        check_rules(events)
        assert events[-1].ok
        assert events[-1].answer == events_of(case)[-1].answer
        assert len(events) > len(events_of(case)), garbage


# What holds for every engine without a run


def test_every_built_in_engine_has_recorded_streams() -> None:
    """No engine ships unproved."""
    catalogue = find_engines(FIXTURES / "no-home")
    assert catalogue.problems == ()
    assert set(catalogue.ids) == set(engines())


@every_engine
def test_the_resume_line_is_read_back(engine: str) -> None:
    """What takopi prints for resuming is what it understands, as code and without."""
    runner = runner_of(engine)
    token = next(
        e.resume for c in cases(engine) for e in events_of(c) if isinstance(e, StartedEvent)
    )
    line = runner.format_resume(token)
    assert (line[0], line[-1]) == ("`", "`")
    for text in (line, line.strip("`"), f"Done.\n\n{line}", f"{line}\nmore"):
        assert runner.extract_resume(text) == token
    assert runner.is_resume_line(line)
    assert not runner.is_resume_line(f"please run {line}")


@every_engine
@pytest.mark.timeout(600)
@given(text=st.text())
def test_no_text_breaks_the_reading_of_resume_lines(engine: str, text: str) -> None:
    """Whatever a person writes, reading it neither fails nor gives a token like an option."""
    token = runner_of(engine).extract_resume(f"{text}\n`{engine} resume {text}`")
    assert token is None or (token.engine == engine and not token.value.startswith("-"))


@every_engine
def test_other_engines_resume_lines_are_not_taken(engine: str) -> None:
    """A session belongs to one engine."""
    for other in contract_engines():
        if other == engine:
            continue
        value = "01a1fc42-bad0-7db3-a6b5-191279486cb0"
        line = runner_of(other).format_resume(ResumeToken(other, value))
        assert runner_of(engine).extract_resume(line) is None


@every_engine
def test_an_unknown_key_is_refused(engine: str) -> None:
    """A mistake in the configuration names the file and the key."""
    with pytest.raises(ConfigError) as error:
        backend_of(engine).build_runner({"modle": "x"}, CONFIG_PATH)
    assert str(CONFIG_PATH) in str(error.value)
    assert f"{engine}.modle" in str(error.value)


@every_engine
def test_a_prompt_never_stands_among_the_options(engine: str) -> None:
    """A prompt like an option does not reach the engine as one: it goes by standard input."""
    runner = runner_of(engine)
    prompt = "--dangerously-do-it"
    state = runner.new_state(prompt, None)
    assert prompt not in runner.build_args(prompt, None, state=state)
    assert runner.stdin_payload(prompt, None, state=state) == prompt.encode()
