"""The recorded streams of all engines that are found, as cases for any test."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from runners.page_engine import PAGE_ENGINE, page_backend, recorded
from takopi.backends import EngineBackend
from takopi.engines import find_engines
from takopi.model import ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.runner import JsonlSubprocessRunner, replay

FIXTURES = Path(__file__).parent.parent / "fixtures"
CONFIG_PATH = Path("/home/user/.takopi/takopi.toml")

_RESUME = re.compile(r"--session|--resume|resume")


@dataclass(frozen=True)
class Case:
    """Be one recorded run."""

    engine: str
    name: str
    stdout: bytes
    rc: int | None
    stderr: str
    resume: ResumeToken | None

    def __str__(self) -> str:
        return f"{self.engine}-{self.name}"


@cache
def backend_of(engine: str) -> EngineBackend:
    """Load an engine of takopi, or the one of the page that explains engines."""
    catalogue = find_engines(FIXTURES / "no-home")
    if engine == PAGE_ENGINE and engine not in catalogue.ids:
        return page_backend()
    return catalogue.load(engine)


@cache
def runner_of(engine: str) -> JsonlSubprocessRunner:
    """Make an engine's runner with an empty configuration."""
    runner = backend_of(engine).build_runner({}, CONFIG_PATH)
    assert isinstance(runner, JsonlSubprocessRunner)
    return runner


@cache
def engines() -> tuple[str, ...]:
    """List the engines that are found and have recorded streams."""
    return tuple(e for e in find_engines(FIXTURES / "no-home").ids if (FIXTURES / e).is_dir())


@cache
def contract_engines() -> tuple[str, ...]:
    """List the engines that keep the contract: those, and the one of the page."""
    return tuple(dict.fromkeys((*engines(), PAGE_ENGINE)))


@cache
def cases(engine: str) -> tuple[Case, ...]:
    """List the recorded runs of an engine; the one of the page has those that stand there."""
    if not (FIXTURES / engine).is_dir():
        assert engine == PAGE_ENGINE
        return (Case(engine, "page", recorded(), 0, "", None),)
    return tuple(load(engine, path) for path in sorted((FIXTURES / engine).glob("*.jsonl")))


def case(engine: str, name: str) -> Case:
    """Return one recorded run."""
    return load(engine, FIXTURES / engine / f"{name}.jsonl")


def load(engine: str, path: Path) -> Case:
    """Read a recorded run and what is known about it."""
    about = path.with_suffix(".meta.json")
    meta: dict[str, Any] = json.loads(about.read_text("utf-8")) if about.exists() else {}
    return Case(
        engine=engine,
        name=path.stem,
        stdout=path.read_bytes(),
        rc=meta.get("rc", 0),
        stderr=meta.get("stderr", ""),
        resume=_resumed(engine, meta.get("argv", [])),
    )


def _resumed(engine: str, argv: list[str]) -> ResumeToken | None:
    """Find the session that a command line continues; a title or path is none of takopi's."""
    runner = runner_of(engine)
    for option, value in pairwise(argv):
        if _RESUME.fullmatch(option) and not value.startswith("-"):
            return runner.extract_resume(runner.format_resume(ResumeToken(engine, value)))
    return None


@contextmanager
def naming(case: Case) -> Iterator[None]:
    """Let a failure say in which recorded run it is, where one test looks at them all."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the recorded run {case}")
        raise


def events_of(case: Case, chunks: list[bytes] | None = None) -> list[TakopiEvent]:
    """Replay a recorded run, whole unless it is given in chunks."""
    given = [case.stdout] if chunks is None else chunks
    return replay(runner_of(case.engine), given, case.resume, case.rc, stderr=case.stderr)


def told(
    engine: str,
    *lines: dict[str, Any] | str,
    rc: int | None = 0,
    stderr: str = "",
    resume: str | None = None,
) -> list[TakopiEvent]:
    """Replay lines written by hand."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in lines]
    stdout = "".join(f"{text}\n" for text in texts).encode("utf-8", "surrogatepass")
    token = ResumeToken(engine, resume) if resume else None
    return replay(runner_of(engine), [stdout], token, rc, stderr=stderr)


def final(events: list[TakopiEvent]) -> CompletedEvent:
    """Return the last event, which says how it ended."""
    last = events[-1]
    assert isinstance(last, CompletedEvent)
    return last


def started(events: list[TakopiEvent]) -> StartedEvent:
    """Return the one event that names the session."""
    (event,) = [e for e in events if isinstance(e, StartedEvent)]
    return event


def actions(events: list[TakopiEvent], kind: str | None = None) -> list[ActionEvent]:
    """List the actions, or those of one kind."""
    found = [e for e in events if isinstance(e, ActionEvent)]
    return [e for e in found if kind is None or e.action.kind == kind]
