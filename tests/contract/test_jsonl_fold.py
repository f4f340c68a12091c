"""The fold from bytes to events: deterministic, tolerant, never without an end."""

from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.scripted import ENGINE, HELLO, ToyRunner, ToyState, line
from takopi.errors import PromptRefused
from takopi.jsonl_fold import CANCELLED, JsonlFold
from takopi.model import ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.runner import JsonlRunState, JsonlSubprocessRunner, current_request, replay
from takopi.turn import TurnRequest

S1 = ResumeToken(ENGINE, "s1")


def play(*chunks: bytes, runner: Any = None, **more: Any) -> list[TakopiEvent]:
    """Replay the chunks on the toy engine."""
    return replay(runner or ToyRunner(), chunks, **more)


def end(*chunks: bytes, **more: Any) -> CompletedEvent:
    """Return the final of a replay."""
    event = play(*chunks, **more)[-1]
    assert isinstance(event, CompletedEvent)
    return event


def warnings(events: list[TakopiEvent]) -> list[str]:
    """Return the titles of the notes among the events."""
    return [
        e.action.title for e in events if isinstance(e, ActionEvent) and e.action.kind == "warning"
    ]


def test_a_good_stream_gives_start_actions_and_final() -> None:
    """The plain case."""
    events = play(*HELLO)
    assert [e.type for e in events] == ["started", "action", "action", "completed"]
    assert events[-1] == CompletedEvent(ENGINE, True, "done", S1)


LINES = st.sampled_from(
    [
        line(session="s1"),
        line(tool="look", id="t1"),
        line(result="done"),
        line(failed="broken"),
        line(**{"raise": "bug"}),
        b"\n",
        b" \r\n",
        b"garbage\n",
        b"\xff\xfe\n",
        b"null\n",
        b'{"tool":"\\ud83d","id":"t2"}\n',
        b"{",
        "\u2028\n".encode(),
    ]
)


@given(
    st.lists(LINES).map(b"".join), st.lists(st.integers(1, 9)), st.sampled_from([0, 1, -9, None])
)
def test_chunks_do_not_matter_and_a_replay_repeats(
    data: bytes, sizes: list[int], rc: int | None
) -> None:
    """Whole, cut anyhow, byte by byte, and once more: the same events."""
    whole = play(data, rc=rc)
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size
    assert play(*chunks, data[at:], rc=rc) == whole
    assert play(*[data[i : i + 1] for i in range(len(data))], rc=rc) == whole
    assert sum(isinstance(e, CompletedEvent) for e in whole) == 1
    assert isinstance(whole[-1], CompletedEvent)


def test_a_last_line_without_newline_counts() -> None:
    """An engine that is killed right after its result has still answered."""
    assert end(b"".join(HELLO).rstrip(b"\n")).answer == "done"


def test_a_line_that_is_no_json_is_a_warning_that_keeps_it() -> None:
    """The turn goes on; the line stands in the detail."""
    events = play(b"oops\n", *HELLO)
    assert warnings(events) == ["toy printed a line that is no JSON"]
    assert events[0].action.detail == {"line": "oops"}  # type: ignore[union-attr]
    assert events[-1].answer == "done"  # type: ignore[union-attr]


def test_half_an_emoji_does_not_cost_its_line() -> None:
    """Engines written in JavaScript cut texts between the halves of a pair."""
    events = play(HELLO[0], b'{"result":"cut \\ud83d"}\n')
    assert events[-1].answer == "cut \ufffd"  # type: ignore[union-attr]


def test_a_line_over_the_cap_is_a_warning_and_skipped() -> None:
    """32 MiB is what takopi reads of one line."""
    events = play(HELLO[0], b'"' + b"x" * (32 * 1024 * 1024) + b'"\n', HELLO[2])
    assert warnings(events) == ["skipped a line of 32.0 MiB: longer than takopi reads"]
    assert events[-1].answer == "done"  # type: ignore[union-attr]


class Raising(ToyRunner):
    """Raise where a line says so."""

    def decode_jsonl(self, *, line: bytes) -> Any:
        data = super().decode_jsonl(line=line)
        if data == {"decode": True}:
            raise KeyError("decode")
        return data


def test_an_exception_on_a_line_costs_that_line() -> None:
    """In decoding as in translating; the hooks for them make the notes."""
    events = play(line(decode=True), line(**{"raise": "x"}), *HELLO, runner=Raising())
    assert warnings(events) == [
        "toy printed a line that takopi cannot read ('decode')",
        "takopi could not make sense of a line of toy (ValueError)",
    ]
    assert events[-1].answer == "done"  # type: ignore[union-attr]
    ids = [e.action.id for e in events if isinstance(e, ActionEvent)]
    assert ids[:2] == ["toy.note.1", "toy.note.2"]


class Lazy(ToyRunner):
    """Return no list: a generator, or nothing at all."""

    def translate(self, data: Any, **more: Any) -> Any:
        if data.get("nothing"):
            return None
        return (event for event in super().translate(data, **more))


def test_a_generator_or_nothing_is_as_good_as_a_list() -> None:
    """Authors forget the list; the turn does not fail for it."""
    assert end(line(nothing=True), *HELLO, runner=Lazy()).answer == "done"


class Late(ToyRunner):
    """Raise after the first event of a line, or on a line that was mended."""

    def translate(self, data: Any, **more: Any) -> Any:
        yield from super().translate(data, **more)
        if "tool" in data:
            raise LookupError("late")


def test_a_generator_that_breaks_off_costs_its_line() -> None:
    """As a list would; a line that was mended is no exception."""
    events = play(*HELLO, runner=Late())
    text = "takopi could not make sense of a line of toy (LookupError)"
    assert warnings(events) == [text]
    assert events[-1].answer == "done"  # type: ignore[union-attr]
    events = play(HELLO[0], b'{"tool":"\\ud83d","id":"1"}\n', HELLO[2], runner=Late())
    assert warnings(events) == [text]
    events = play(b'{"raise":"\\ud83d"}\n', *HELLO)
    assert warnings(events) == ["takopi could not make sense of a line of toy (ValueError)"]


def test_a_line_that_cannot_be_mended_is_reported_as_it_was() -> None:
    """With the first error, not that of the second try."""

    class Picky(ToyRunner):
        def decode_jsonl(self, *, line: bytes) -> Any:
            if b"seed" in line:
                raise KeyError("first" if b"\\u" in line else "second")
            return super().decode_jsonl(line=line)

    events = play(b'{"seed":"\\ud83d"}\n', *HELLO, runner=Picky())
    assert warnings(events) == ["toy printed a line that takopi cannot read ('first')"]


class Refusing(ToyRunner):
    def translate(self, data: Any, **more: Any) -> list[TakopiEvent]:
        raise PromptRefused("the account has no credit; top it up")


def test_an_engine_error_in_translate_ends_the_turn_with_its_text() -> None:
    """That is how a module says that a turn cannot go on."""
    assert end(*HELLO, runner=Refusing()).error == "the account has no credit; top it up"


def test_another_session_than_asked_for_ends_the_turn() -> None:
    """And the fold says that the engine has to be ended at once."""
    asked = ResumeToken(ENGINE, "mine")
    fold = JsonlFold(ToyRunner(), TurnRequest(prompt="", resume=asked))
    (final,) = fold.feed(b"".join(HELLO))
    assert isinstance(final, CompletedEvent)
    assert final.resume == asked
    assert "toy answered in session s1, not in mine as asked" in str(final.error)
    assert fold.aborted
    assert fold.feed(line(result="more")) == fold.finish(0) == []


class Broken(ToyRunner):
    def translate_error_events(self, **_: Any) -> list[TakopiEvent]:
        raise RuntimeError("also broken")


def test_a_bug_in_the_hook_for_bugs_ends_the_turn_with_a_name() -> None:
    """What was translated before it is not lost."""
    events = play(HELLO[0], line(**{"raise": "x"}), HELLO[2], runner=Broken())
    assert [e.type for e in events] == ["started", "completed"]
    assert "the module of the engine toy failed with RuntimeError: also broken" in str(
        events[-1].error  # type: ignore[union-attr]
    )


def test_an_exit_status_without_a_result_is_an_error_with_the_reason() -> None:
    """The end of standard error is in the final."""
    final = end(HELLO[0], rc=3, stderr="warming up\n\x1b[31mError: not logged in\x1b[0m\n")
    assert final.error == (
        "toy failed with exit status 3 without a result\n\nwarming up\nError: not logged in"
    )
    assert final.resume == S1


@pytest.mark.parametrize(
    ("rc", "text"),
    [
        (-9, "toy was ended by SIGKILL (out of memory?) without a result"),
        (-15, "toy was ended by SIGTERM without a result"),
        (-200, "toy was ended by signal 200 without a result"),
        (0, "toy ended without a result"),
        (None, "toy ended without a result"),
    ],
)
def test_every_way_to_end_has_its_text(rc: int | None, text: str) -> None:
    """Signals by name; nobody invents an exit status."""
    assert end(HELLO[0], rc=rc).error == text
    assert end(HELLO[0], rc=rc, stderr="why\n").error == f"{text}\n\nwhy"


class Own(ToyRunner):
    """Bring its own ends."""

    def process_error_events(self, rc: int, *, state: Any, **_: Any) -> list[TakopiEvent]:
        return [
            self.note_event("it broke", state=state),
            state.factory.completed_error(error="boom: why", answer="so far"),
        ]

    def stream_end_events(self, *, state: Any, **_: Any) -> list[TakopiEvent]:
        return [state.factory.completed_ok(answer="plain text")]

    def stderr_message(self, tail: str) -> str:
        return tail.strip()


def test_the_ends_are_hooks() -> None:
    """The reason is not repeated when the module already says it; a stream may end well."""
    events = play(HELLO[0], rc=1, stderr="why\n", runner=Own())
    assert warnings(events) == ["it broke"]
    assert events[-1] == CompletedEvent(ENGINE, False, "so far", S1, "boom: why")
    assert end(HELLO[0], rc=1, stderr="log in", runner=Own()).error == "boom: why\n\nlog in"
    assert end(HELLO[0], stderr="noise", runner=Own()) == CompletedEvent(
        ENGINE, True, "plain text", S1
    )


def test_a_turn_that_takopi_ended_says_so_and_keeps_the_answer_so_far() -> None:
    """The notes about an exit status that takopi caused are left out."""
    fold = JsonlFold(Own(), TurnRequest(prompt=""))
    fold.feed(HELLO[0])
    assert fold.finish(-2, ended_because=CANCELLED, stderr="^C") == [
        CompletedEvent(ENGINE, False, "so far", S1, CANCELLED)
    ]


class Silent(ToyRunner):
    def process_error_events(self, rc: int, **_: Any) -> list[TakopiEvent]:
        return []

    def stream_end_events(self, **_: Any) -> list[TakopiEvent]:
        raise ZeroDivisionError("at the end")


def test_a_module_without_an_end_gets_one() -> None:
    """Exactly one final, whatever the hooks return or raise."""
    assert end(HELLO[0], rc=1, stderr="why", runner=Silent()).error == (
        "toy ended without a result\n\nwhy"
    )
    assert "ZeroDivisionError: at the end" in str(end(HELLO[0], runner=Silent()).error)
    fold = JsonlFold(Silent(), TurnRequest(prompt=""))
    assert fold.finish(1, ended_because=CANCELLED)[-1].error == CANCELLED  # type: ignore[union-attr]


class Nosy(ToyRunner):
    seen: ClassVar[list[Any]] = []

    def new_state(self, prompt: str, resume: ResumeToken | None) -> ToyState:
        self.seen.append(current_request())
        return super().new_state(prompt, resume)

    def translate(self, data: Any, **more: Any) -> list[TakopiEvent]:
        self.seen.append(current_request())
        return super().translate(data, **more)

    def stream_end_events(self, **more: Any) -> list[TakopiEvent]:
        self.seen.append(current_request())
        return super().stream_end_events(**more)


def test_every_hook_sees_the_request_and_nobody_else_does() -> None:
    """It is bound around hook calls only."""
    request = TurnRequest(prompt="p", model="m")
    fold = JsonlFold(Nosy(), request)
    fold.feed(HELLO[0])
    assert current_request() is None
    fold.finish(0)
    assert Nosy.seen == [request] * 3


class Bare(JsonlSubprocessRunner):
    engine = "bare"


def test_a_module_that_says_nothing_fails_with_what_is_missing() -> None:
    """Each hook without a default names itself."""
    runner = Bare()
    with pytest.raises(NotImplementedError, match="bare must say its command"):
        runner.command()
    with pytest.raises(NotImplementedError, match="bare must say its build_args"):
        runner.build_args("", None, state=None)
    with pytest.raises(NotImplementedError, match="bare must say how to translate"):
        runner.translate({}, state=None, resume=None, found_session=None)
    assert warnings(replay(runner, [b"{}"])) == [
        "takopi could not make sense of a line of bare (NotImplementedError)"
    ]


def test_the_other_hooks_have_defaults() -> None:
    """Prompt on standard input, environment as it is, notes by number."""
    runner, state = Bare(), JsonlRunState()
    assert runner.new_state("", None) == state
    assert runner.stdin_payload("grüße", None, state=state) == "grüße".encode()
    assert runner.env(state=state) is None
    assert runner.tag() == "bare"
    assert "bare could not be connected" in runner.pipes_error_message()
    assert runner.get_logger() is not None
    note = runner.note_event("fine", state=state, ok=True, detail={"d": 1})
    assert isinstance(note, ActionEvent)
    assert (note.action.id, note.action.kind, note.ok, note.level) == (
        "bare.note.1", "note", True, "info",
    )  # fmt: skip
    started = StartedEvent("bare", ResumeToken("bare", "s"))
    assert runner.handle_started_event(started, expected_session=None, found_session=None) == (
        started.resume, True,
    )  # fmt: skip
    assert not runner.capabilities.steer


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    """Whatever an engine prints, there is one final."""
    assert isinstance(play(data)[-1], CompletedEvent)


def test_deep_nesting_costs_its_line_only() -> None:
    """A line that overflows the parser's stack is reported like any other."""
    assert len(warnings(play(b"[" * 100_000 + b"\n", *HELLO))) == 1
    assert msgspec.json.decode(b"[]") == []
