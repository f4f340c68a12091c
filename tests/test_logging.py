"""Records are redacted, silent on the terminal but for warnings, and cheap until written."""

import io
import json
import logging as standard
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from takopi import logging as log
from takopi.core.markdown import render_markdown

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_-x"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave the process's logging as it was."""
    root = standard.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    log._sink.close_file()
    log.clear_context()


@pytest.fixture
def debug_file(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "debug.log"
    log.configure_logging(debug_file=path)
    return path


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_warnings_reach_the_terminal_and_nothing_below(capsys: pytest.CaptureFixture) -> None:
    """A person sees warnings and errors only, on standard error, with their fields."""
    logger = log.get_logger("a.module")
    logger.debug("prompt", text="fix the tests")
    logger.info("started")
    logger.warning("slow", engine="codex")
    logger.error("bad")
    logger.critical("worse")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "warning: slow (engine=codex)\nerror: bad\ncritical: worse\n"


def test_the_debug_file_has_everything(debug_file: Path, capsys: pytest.CaptureFixture) -> None:
    """With a debug file all levels are written there, as lines of JSON."""
    logger = log.get_logger("a.module", part="x")
    logger.debug("one %s", "two")
    logger.bind(run="r1").unbind("part").info("three")
    assert [(r["level"], r["event"], r["logger"]) for r in records(debug_file)] == [
        ("debug", "one two", "a.module"),
        ("info", "three", "a.module"),
    ]
    assert "part" in records(debug_file)[0]
    assert records(debug_file)[1]["run"] == "r1"
    assert "part" not in records(debug_file)[1]
    assert capsys.readouterr().err == ""


def test_rendering_does_not_fill_the_debug_file(debug_file: Path) -> None:
    """The Markdown parser's own steps would bury what happened."""
    render_markdown("# One\n\n- two\n\n```\nthree\n```\n")
    assert records(debug_file) == []


def test_the_debug_file_is_closed_to_others(debug_file: Path) -> None:
    """File and folder belong to the person alone."""
    assert debug_file.stat().st_mode & 0o777 == 0o600
    assert debug_file.parent.stat().st_mode & 0o777 == 0o700


def test_a_large_debug_file_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that has grown too large makes room, and the one before is kept."""
    path = tmp_path / "debug.log"
    with path.open("wb") as file:
        file.truncate(log.MAX_DEBUG_FILE_BYTES + 1)
    log.configure_logging(debug_file=path)
    log.get_logger("x").info("fresh")
    assert [r["event"] for r in records(path)] == ["fresh"]
    assert path.with_name("debug.log.1").stat().st_size > log.MAX_DEBUG_FILE_BYTES


def test_configuring_again_keeps_the_file(debug_file: Path) -> None:
    """A later call without a file does not stop what `--debug` began; a new file replaces it."""
    log.configure_logging()
    log.get_logger("x").info("still")
    other = debug_file.with_name("other.log")
    log.configure_logging(debug_file=other)
    log.get_logger("x").info("elsewhere")
    assert [r["event"] for r in records(debug_file)] == ["still"]
    assert [r["event"] for r in records(other)] == ["elsewhere"]


def test_no_secret_is_written_anywhere(
    debug_file: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither message, field, nested field nor exception text carries a secret."""
    log.add_secrets(["the-canary-value"])
    logger = log.get_logger("x")
    try:
        raise ValueError(f"POST https://api.telegram.org/bot{TOKEN}/getMe the-canary-value")
    except ValueError:
        logger.exception(f"failed with {TOKEN}", deep={"a": [{"b": ("the-canary-value",)}]})
    standard.getLogger("aiohttp").error("url %s", f"/bot{TOKEN}/x", exc_info=False)
    structlog.get_logger().warning("the-canary-value", extra=TOKEN)
    written = debug_file.read_text() + capsys.readouterr().err
    assert "the-canary-value" not in written
    assert TOKEN not in written
    assert written.count("[redacted]") >= 8
    assert log.redact(f"x {TOKEN}") == "x [redacted]"


KEY = "canary-value/of+a=key"
FORMS = (KEY, TOKEN, quote(KEY, safe=""), quote(TOKEN, safe=""), TOKEN[:20], TOKEN.split(":")[1])
said = st.builds(
    lambda before, form, after: f"{before} {form} {after}",
    st.text(max_size=3),
    st.sampled_from(FORMS),
    st.text(max_size=3),
)
nested = st.recursive(
    said | said.map(str.encode) | said.map(ValueError) | said.map(Path),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(said, inner, max_size=2)
        | st.builds(lambda value: ValueError({"deep": value}), inner)
        | st.builds(lambda value: {"args": ExceptionGroup("g", [KeyError(value)])}, inner)
    ),
    max_leaves=4,
)


def raised(words: str, kind: str) -> Exception:
    """Return an exception whose secret stands where `kind` says, as `raise` leaves it."""
    inner = KeyError(words)
    inner.add_note(f"note: {words}")
    outer = RuntimeError("outer") if kind in ("cause", "context") else inner
    if kind == "cause":
        outer.__cause__ = inner
    elif kind == "context":
        outer.__context__ = inner
    elif kind == "group":
        outer = ExceptionGroup("many", [inner, ExceptionGroup("x", [OSError(words)])])
    try:
        raise outer
    except (RuntimeError, KeyError, ExceptionGroup) as error:
        return error


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(nested, said, st.sampled_from(["plain", "cause", "context", "group"]))
def test_no_canary_survives_in_any_record(
    debug_file: Path, capsys: pytest.CaptureFixture, value: object, words: str, kind: str
) -> None:
    """Wherever in a record a secret stands and however it was quoted, it is not written."""
    log.configure_logging()  # pytest listens as well, and fails over what does not fit
    log.add_secrets([KEY, TOKEN])
    log.clear_context()
    log.bind_run_context(bound=value)
    error = raised(words, kind)
    logger = log.get_logger("x", always=value)
    logger.error(words, value, field=value, exc_info=error)
    logger.debug("%s", words, **{"error": error, words: 1})
    standard.getLogger("lib").error("%s", words, exc_info=error)
    standard.getLogger("lib").error(words, value, {"a": value})
    structlog.get_logger().error("x", value=value, exc_info=error)
    written = debug_file.read_text("utf-8") + capsys.readouterr().err
    os.truncate(debug_file, 0)
    assert written.count("[redacted]") > 4
    for form in FORMS:
        assert form not in written
    assert "canary" not in written
    assert "Fake" not in written


def test_a_librarys_broken_record_is_written_as_far_as_it_goes(debug_file: Path) -> None:
    """Arguments that do not fit, and objects that cannot be shown, are no failure of the library's
    caller.
    """

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    log.configure_logging()  # pytest listens as well, and fails over what does not fit
    standard.getLogger("lib").error("only %s", "one", "two")
    standard.getLogger("lib").error("it is %s", Broken())
    standard.getLogger("lib").error(Broken())
    assert [r["event"] for r in records(debug_file)] == [
        "only %s (its arguments do not fit: TypeError)",
        "it is %s (its arguments do not fit: RuntimeError)",
        "Broken (its arguments do not fit: RuntimeError)",
    ]


def test_the_terminal_shows_the_last_line_of_a_trace(
    debug_file: Path, capsys: pytest.CaptureFixture
) -> None:
    """A person gets what went wrong; where it did stands in the debug file."""
    try:
        raise KeyError("gone")
    except KeyError:
        log.get_logger("x").exception("lost")
    assert capsys.readouterr().err == "error: lost: KeyError: 'gone'\n"
    assert "Traceback" in records(debug_file)[0]["exception"]


def test_context_travels_with_records(debug_file: Path) -> None:
    """What is bound to a run stands in its records until it is cleared."""
    log.bind_run_context(turn="t1")
    log.bind_run_context(engine="pi")
    log.get_logger("x").info("one")
    log.clear_context()
    log.get_logger("x").info("two")
    one, two = records(debug_file)
    assert (one["turn"], one["engine"]) == ("t1", "pi")
    assert "turn" not in two


def test_logs_can_be_suppressed(debug_file: Path, capsys: pytest.CaptureFixture) -> None:
    """Inside the block only what is grave enough is written, whoever writes it."""
    logger = log.get_logger("x")
    with log.suppress_logs():
        logger.info("dropped")
        structlog.get_logger().info("dropped too")
        standard.getLogger("lib").info("dropped as well")
        logger.warning("kept")
    with log.suppress_logs("error"):
        logger.warning("dropped")
    logger.info("back")
    assert [r["event"] for r in records(debug_file)] == ["kept", "back"]


def test_the_terminal_can_be_routed(capsys: pytest.CaptureFixture) -> None:
    """A live display takes warnings over and gives them back."""
    lines: list[str] = []
    with log.route_terminal(lines.append):
        log.get_logger("x").warning("inside")
    log.get_logger("x").warning("outside")
    assert lines == ["warning: inside"]
    assert capsys.readouterr().err == "warning: outside\n"


def test_a_closed_terminal_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A warning after standard error was closed is dropped."""
    with (tmp_path / "closed").open("w") as closed:
        pass
    monkeypatch.setattr(sys, "stderr", closed)
    log.get_logger("x").warning("nobody reads this")


def test_a_log_that_cannot_be_written_harms_nobody(
    debug_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a full disk nor a reader that has gone ends what the record is about."""

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    log._sink.close_file()
    log._sink.file_descriptor = os.open("/dev/full", os.O_WRONLY)
    log.get_logger("x").error("lost")


def test_a_debug_file_that_grows_makes_room(debug_file: Path) -> None:
    """A bot that runs for weeks does not fill the disk."""
    log._sink.room_bytes = 10
    log.get_logger("x").info("fills it")
    os.truncate(debug_file, log.MAX_DEBUG_FILE_BYTES + 1)
    log.get_logger("x").info("fresh")
    assert [r["event"] for r in records(debug_file)] == ["fresh"]
    assert debug_file.with_name("debug.log.1").exists()


def test_records_of_unknown_levels_are_warnings(debug_file: Path) -> None:
    """A level between two counts as the lower one."""
    standard.getLogger("lib").log(35, "between")
    standard.getLogger().handle(standard.makeLogRecord({"levelno": 5, "msg": "below all"}))
    log.get_logger("x").log(35, "ours")
    shown = [(r["event"], r["level"]) for r in records(debug_file)]
    assert shown == [("between", "warning"), ("below all", "debug"), ("ours", "warning")]


def test_a_logger_costs_nothing_until_it_writes() -> None:
    """Importing and calling below the threshold does not import structlog."""
    code = (
        "import sys; from takopi.logging import get_logger, adopt_structlog\n"
        "get_logger('x').info('dropped'); adopt_structlog()\n"
        "assert 'structlog' not in sys.modules and 'logging' not in sys.modules"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_structlog_is_adopted_when_somebody_else_loads_it() -> None:
    """A plug-in that logs with structlog itself prints nothing to standard output."""
    code = (
        "import structlog; from takopi.logging import adopt_structlog; adopt_structlog()\n"
        f"structlog.get_logger().info('quiet'); structlog.get_logger().error('{TOKEN}')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == ""
    assert done.stderr == "error: [redacted]\n"
