"""`takopi logs`: what an engine did in a run, as text, without touching the run."""

import re
import subprocess
import threading
from pathlib import Path

import pytest

from takopi.app.home import Home
from takopi.bridge.records import TurnRecord
from takopi.core.chat import Scope
from takopi.events import EventFactory
from takopi.model import ResumeToken
from takopi.process.run_views import list_runs, look_at_run
from takopi.runners.mock import MockRunner
from takopi.terminal.log_view import LogView

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def home(takopi_home: Path) -> Home:
    return Home(takopi_home)


def test_a_run_is_told_from_its_prompt_to_its_end(inside, home) -> None:
    """Each step once for its beginning and once for its end, then the answer."""
    inside("toy", "hello\nrun: true\nrun: true\nrun: exit 3\nthere")
    done = inside("logs")
    assert (done.returncode, done.stderr) == (0, "")
    text, resume = done.stdout.rstrip("\n").rsplit("\n", 1)
    assert text == (
        "> hello\n> run: true\n> run: true\n> run: exit 3\n> there\n"
        "▸ true\n✓ true\n▸ true\n✓ true\n▸ exit 3\n✗ exit 3 · exit 3\n"
        "\ntoy heard: hello / there"
    )
    assert re.fullmatch(r"toy --resume toy-[0-9a-f]{16}", resume)
    (run,) = list_runs(home.runs)
    raw = inside("logs", "--raw", run.run_id[:15]).stdout
    assert raw == run.stdout.read_text()


def test_a_run_that_failed_says_why(inside) -> None:
    """With the useful end of what the engine said beside its output."""
    inside("toy", "exit: 3")
    done = inside("logs")
    assert done.returncode == 0
    assert "takopi: toy failed with exit status 3 without a result\n\ntoy: told to fail" in (
        done.stdout
    )


def test_a_run_that_goes_on_is_followed_to_its_end(inside, left_run, tmp_path) -> None:
    """`-f` waits for what comes; without it the rest is only announced. Nobody has the run."""
    go_on = tmp_path / "go-on"
    run = left_run(f"wait: {go_on}\nhello")
    done = inside("logs")
    assert done.stdout.splitlines()[-1] == "▸ waiting"
    assert f"the run goes on; `takopi logs --follow {run.run_id}` follows it" in done.stderr
    timer = threading.Timer(0.3, go_on.touch)
    timer.start()
    done = inside("logs", "-f", run.run_id)
    timer.join()
    assert "✓ waiting" in done.stdout
    assert "toy heard: hello" in done.stdout
    assert done.stderr == ""
    found = look_at_run(run.directory.parent, run.run_id)
    assert found is not None
    assert found.state == "ended"


def test_a_turn_leads_to_its_run(inside, journal, home) -> None:
    """By its id or the beginning of it; a turn without a run is told as such."""
    for prompt in ("one", "two"):
        inside("toy", prompt)
    _two, one = list_runs(home.runs)
    for name, told in (
        ("nosuch", "no turn or run is called `nosuch`; `takopi ps --all` lists them"),
        ("2", "2 runs begin with `2`; give more of its id"),
    ):
        done = inside("logs", name)
        assert done.returncode == 2
        assert told in done.stderr
    frame = {"scope": Scope("telegram", 5, None), "engine": "toy"}
    journal(
        TurnRecord(turn_id="abc1", run_id=one.run_id, state="done", outcome="done", **frame),
        TurnRecord(turn_id="abd2", **frame),
        TurnRecord(turn_id="gone", run_id="20200101-1", state="done", outcome="done", **frame),
    )
    assert "toy heard: one" in inside("logs", "abc").stdout
    assert "toy heard: two" in inside("logs").stdout
    for name, told in (
        ("ab", "more than one turn begins with 'ab'"),
        ("abd2", "the turn abd2 is queued and has no run; `takopi ps`"),
        ("gone", "the directory of the run 20200101-1 is gone"),
        ("nosuch", "no turn is called 'nosuch'; `takopi ps --all` lists them"),
    ):
        done = inside("logs", name)
        assert done.returncode == 2
        assert told in done.stderr


def test_what_cannot_be_shown_is_told(inside, home) -> None:
    """No run yet, an engine that is gone, one that prints nothing that could be replayed."""
    done = inside("logs")
    assert done.returncode == 2
    assert "there was no run yet" in done.stderr
    inside("toy", "hello")
    module = home.runners / "toy.py"
    text = module.read_text()
    module.write_text(text + "\nclass Foreign:\n    engine = 'toy'\n    run = print\n")
    module.write_text(module.read_text().replace("    return ToyRunner()", "    return Foreign()"))
    done = inside("logs")
    assert done.returncode == 2
    assert "toy does not print what takopi could replay; see it with --raw" in done.stderr
    module.unlink()
    done = inside("logs")
    assert done.returncode == 1
    assert "there is no engine `toy`" in done.stderr
    (run,) = list_runs(home.runs)
    run.stdout.unlink()
    run.stderr.unlink()
    assert inside("logs", "--raw").stdout == ""
    module.write_text(text)
    assert "takopi: " in inside("logs").stdout


@pytest.mark.long
def test_a_reader_that_has_seen_enough_is_no_error(argv, environment, inside) -> None:
    """`takopi logs | head -1` says nothing about it."""
    inside("toy", "-", stdin="hello\n" * 50_000)  # more than a pipe holds
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" logs | head -1', "sh", *argv],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_what_an_agent_says_between_its_steps_is_told_once() -> None:
    """As far as it was written when a step begins, then the rest; the answer comes once."""
    written: list[str] = []
    view = LogView(written.append, MockRunner(), Path("/srv"))
    factory = EventFactory("mock")

    def say(name: str, text: str, offset: int) -> None:
        detail = {"offset": offset, "text": text}
        view.take(
            factory.action(phase="updated", action_id=name, kind="message", title="", detail=detail)
        )

    def plan(*items: tuple[str, str]) -> None:
        detail = {"items": [{"text": text, "status": status} for text, status in items]}
        view.take(
            factory.action(
                phase="updated", action_id="plan", kind="plan", title="plan", detail=detail
            )
        )

    view.take(factory.started(ResumeToken("mock", "m-1"), title="mock"))
    say("m1", "I look", 0)
    say("m1", " around.", 6)
    step = {"action_id": "s", "kind": "command", "title": "ls"}
    view.take(factory.action(phase="started", **step))
    view.take(factory.action(phase="updated", **step))
    view.take(factory.action(phase="completed", ok=True, **step))
    plan(("look", "completed"), ("mend", "pending"))
    plan(("look", "completed"), ("mend", "pending"))
    say("m1", " More.", 14)
    say("m2", "All done.", 0)
    view.take(factory.completed_ok(answer="All done.", resume=ResumeToken("mock", "m-1")))
    assert "".join(written) == (
        "I look around.\n▸ ls\n✓ ls\n☑ look\n☐ mend\n More.\n\nAll done.\nmock --resume m-1\n"
    )


def test_words_that_no_answer_repeats_are_told_at_the_end() -> None:
    """A turn that failed in the middle of a sentence."""
    written: list[str] = []
    view = LogView(written.append, MockRunner(), Path("/srv"))
    factory = EventFactory("mock")
    view.take(
        factory.action(
            phase="updated", action_id="m", kind="message", title="", detail={"text": "I was \x1b"}
        )
    )
    view.take(factory.completed_error(error="the engine broke"))
    assert "".join(written) == "I was \ufffd\ntakopi: the engine broke\n"
