"""Replay what an engine printed, and take the events apart."""

import json
from pathlib import Path
from typing import Any

from takopi.model import ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.runner import JsonlSubprocessRunner, replay

FIXTURES = Path(__file__).parent.parent / "fixtures"


def recorded(runner: JsonlSubprocessRunner, case: str) -> list[TakopiEvent]:
    """Replay a recorded stream with the exit status and standard error of its run."""
    stream = FIXTURES / runner.engine / f"{case}.jsonl"
    about = stream.with_name(f"{case}.meta.json")
    meta = json.loads(about.read_text("utf-8")) if about.exists() else {"rc": 0, "stderr": ""}
    return replay(runner, [stream.read_bytes()], None, meta["rc"], stderr=meta["stderr"])


def printed(
    runner: JsonlSubprocessRunner,
    *lines: dict[str, Any],
    rc: int | None = 0,
    stderr: str = "",
    resume: ResumeToken | None = None,
) -> list[TakopiEvent]:
    """Replay lines written by hand."""
    chunks = [json.dumps(line).encode() + b"\n" for line in lines]
    return replay(runner, chunks, resume, rc, stderr=stderr)


def session_of(events: list[TakopiEvent]) -> str | None:
    """Give the session's id, when the events have one."""
    return next((e.resume.value for e in events if isinstance(e, StartedEvent)), None)


def final(events: list[TakopiEvent]) -> CompletedEvent:
    """Give the last event, which says how it ended."""
    last = events[-1]
    assert isinstance(last, CompletedEvent)
    return last


def actions(events: list[TakopiEvent], kind: str | None = None) -> list[ActionEvent]:
    """Give the actions, or those of one kind."""
    found = [e for e in events if isinstance(e, ActionEvent)]
    return [e for e in found if kind is None or e.action.kind == kind]
