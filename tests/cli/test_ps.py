"""`takopi ps`: what runs and waits, from the journal and the run directories alone."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from takopi.app.home import Home
from takopi.app.locks import Flock
from takopi.bridge.records import TurnRecord
from takopi.core.chat import Scope
from takopi.core.process_rows import ProcessRow, is_open, process_table, shown_state
from takopi.model import ResumeToken
from takopi.process.run_views import list_runs

SCOPE = Scope("telegram", 5, None)


@pytest.fixture
def home(takopi_home: Path) -> Home:
    return Home(takopi_home)


def test_nothing_is_shown_where_nothing_is(inside, home) -> None:
    """An empty folder is no error; one that is not there is."""
    done = inside("ps")
    assert (done.returncode, done.stdout) == (0, "Nothing runs and nothing waits.\n")
    assert not home.journal.exists()
    home.path.rmdir()
    done = inside("ps")
    assert done.returncode == 2
    assert "does not exist yet" in done.stderr


@pytest.mark.usefixtures("toy")
def test_turns_and_runs_are_listed_together(inside, journal, left_run, home) -> None:
    """With what each is about; what is over only when that is asked for."""
    inside("toy", "hello\nthere")  # a run in a terminal, which is over
    run = left_run("wait: never")
    now = time.time()
    at_work = TurnRecord(
        turn_id="t1",
        scope=SCOPE,
        engine="toy",
        state="running",
        run_id=run.run_id,
        prompt="fix\nthe tests",
        accepted_at=now - 100,
        started_at=now - 65,
        cwd="/srv/app",
        session=ResumeToken("toy", "toy-1"),
    )
    waits = TurnRecord(
        turn_id="t2",
        scope=Scope("telegram", -100, 7),
        engine="toy",
        prompt="then this",
        accepted_at=now - 5,
        asked=ResumeToken("toy", "toy-1"),
    )
    over = TurnRecord(turn_id="t0", scope=SCOPE, engine="toy", state="done", outcome="done")
    journal(over, at_work, waits)
    done = inside("ps")
    header, first, second = done.stdout.splitlines()
    assert header.split() == ["TURN", "ENGINE", "STATE", "FOR", "CHAT", "DIRECTORY", "PROMPT"]
    assert first.split()[:3] == ["t1", "toy", "running"]
    assert "  1m 05s  5  " in first
    assert first.endswith("/srv/app   fix the tests")
    assert second.split() == ["t2", "toy", "queued", "5s", "-100/7", "then", "this"]
    assert done.stderr == (
        "No bot runs: `takopi` takes up what is open, `takopi stop` ends what works.\n"
    )
    every = [json.loads(line) for line in inside("ps", "--all", "--json").stdout.splitlines()]
    assert {(row["turn"], row["state"]) for row in every} == {
        ("t0", "done"),
        (None, "ended"),
        ("t1", "running"),
        ("t2", "queued"),
    }
    (shown,) = (row for row in every if row["turn"] == "t1")
    assert shown["pid"] == run.pid
    assert shown["session"] == "toy-1"
    (ended,) = (row for row in every if row["turn"] is None)
    assert (ended["chat"], ended["prompt"]) == ("terminal", "hello\nthere")
    lock = Flock(home.bot_lock)
    lock.acquire()
    assert inside("ps").stderr.startswith("takopi serves (process ")
    lock.release()


@pytest.mark.usefixtures("toy")
def test_without_a_journal_the_run_directories_tell(inside, left_run, home) -> None:
    """A damaged one is named, and what works is listed all the same.

    So it is by a directory that says nothing: the moment of its run is unknown then.
    """
    run = left_run("wait: never")
    home.journal.write_bytes(b"no journal at all " * 1000)
    home.journal.chmod(0o600)
    done = inside("ps")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split()[:4] == [run.run_id, "toy", "running", "0s"]
    assert f"takopi: the journal {home.journal}" in done.stderr
    home.journal.unlink()
    (run.directory / "run.json").write_text('{"created": "yesterday", "record": 5}')
    assert inside("ps").stdout.splitlines()[1].split()[1:3] == ["running", "?"]
    assert next(list_runs(home.runs)).record == {}


def test_prompts_are_shown_to_their_owner_alone(inside, home) -> None:
    """A folder that others can enter is refused."""
    home.path.chmod(0o755)
    for command in ("ps", "logs", "stop"):
        done = inside(command)
        assert done.returncode == 78
        assert f"chmod 700 {home.path}" in done.stderr


def test_a_folder_that_cannot_be_looked_at_is_told(inside, tmp_path) -> None:
    """A file in its way is named."""
    (tmp_path / "file").write_text("")
    done = inside("ps", TAKOPI_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 78
    assert "cannot be looked at: Not a directory; look at what lies at" in done.stderr


@pytest.mark.parametrize(
    ("turn", "run", "state"),
    [
        ("queued", None, "queued"),
        ("starting", None, "starting"),
        ("starting", "starting", "starting"),
        ("starting", "running", "running"),
        ("running", "ended", "to deliver"),
        ("running", "lost", "lost"),
        ("delivering", "ended", "to deliver"),
        ("cancelled", "running", "cancelled"),
        (None, "starting", "not started"),
        (None, "lost", "lost"),
        (None, None, "unknown"),
    ],
)
def test_the_state_is_what_is_known_last(turn, run, state) -> None:
    """The journal knows less than the directory before takopi has taken a run up again."""
    assert shown_state(turn, run) == state


def test_what_is_over_is_not_open() -> None:
    """Only what may still bring something is shown without being asked for."""
    open_ = [state for state in ("queued", "starting", "running", "to deliver") if is_open(state)]
    assert open_ == ["queued", "starting", "running", "to deliver"]
    assert not any(map(is_open, ("done", "failed", "cancelled", "interrupted", "ended", "lost")))


def test_a_table_fits_its_width(row: Callable[..., ProcessRow]) -> None:
    """The words of the prompt get what is left, and a control character drives no terminal."""
    wide = process_table([row(prompt="x" * 300, cwd="/very/long" * 20)], 10.0, 90)
    assert max(map(len, wide.splitlines())) == 90
    narrow = process_table([row(prompt="fix \x1b[2J the\ntests")], 10.0, 10)
    assert narrow.splitlines()[1].endswith("fix the tests")


@pytest.fixture
def row() -> Callable[..., ProcessRow]:
    def make(**changes: object) -> ProcessRow:
        found = {
            "turn": "t",
            "run": None,
            "engine": "toy",
            "state": "queued",
            "since": 0.0,
            "chat": "5",
        }
        return ProcessRow(**(found | changes))

    return make
