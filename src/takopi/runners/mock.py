"""Play an engine: a believable turn for a machine that has none, without touching anything.

It has no BACKEND, so it is no engine that could be configured or chosen by accident: `takopi chat`
alone offers it, and says so. Everything it reports is scripted, and its answer says so too. Its
sessions live as long as the runner does.
"""

import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import anyio

from takopi.errors import EngineError
from takopi.events import EventFactory
from takopi.model import ActionKind, ResumeToken, TakopiEvent
from takopi.resume_tokens import ResumeTokenMixin, check_token
from takopi.runner import BaseRunner

__all__ = ["ENGINE", "MockRunner"]

ENGINE = "mock"

_QUOTED_CHARS = 400
_PIECE_CHARS = 60
_STEP_S = 0.4
_PIECE_S = 0.06

_PLAN = ("Look around", "Make the change", "Run the tests")
_TEST_FAILS = "F\n1 failed in 0.21s\n"
_TEST_PASSES = ".\n1 passed in 0.19s\n"


def _new_id() -> str:
    return f"mock-{uuid.uuid4().hex[:12]}"


class MockRunner(ResumeTokenMixin, BaseRunner):
    """Run scripted turns.

    Args:
        pause: Waits for a number of seconds between two events; tests bring their own.
        new_id: Makes the id of a new session.
    """

    engine = ENGINE
    resume_re = re.compile(
        r"^[ \t]*`?mock[ \t]+--resume[ \t=]+(?P<token>mock-[A-Za-z0-9]{1,32})`?[ \t]*\r?$",
        re.MULTILINE,
    )

    def __init__(
        self,
        pause: Callable[[float], Awaitable[None]] = anyio.sleep,
        new_id: Callable[[], str] = _new_id,
    ) -> None:
        self._pause = pause
        self._new_id = new_id
        self._prompts: dict[str, list[str]] = {}

    def format_resume(self, token: ResumeToken) -> str:
        """Return the line that goes on in a session within the same `takopi chat`.

        Raises:
            UsageError: The token belongs to another engine.
        """
        check_token(ENGINE, token)
        return f"`mock --resume {token.value}`"

    async def run_impl(self, prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        """Yield the events of a scripted turn.

        Raises:
            EngineError: The session is none of this process.
        """
        if resume is not None and resume.value not in self._prompts:
            raise EngineError(
                f"mock does not know the session {resume.value}: it remembers only while takopi "
                "runs; send the prompt without the resume line to start a new one"
            )
        token = resume or ResumeToken(ENGINE, self._new_id())
        prompts = self._prompts.setdefault(token.value, [])
        prompts.append(prompt)
        make = EventFactory(ENGINE)
        yield make.started(token, title=_quoted(prompts[0], 60), meta={"scripted": True})
        for pause_s, event in _script(make, prompts):
            await self._pause(pause_s)
            yield event


def _script(make: EventFactory, prompts: list[str]) -> Iterator[tuple[float, TakopiEvent]]:
    """Yield each event with the seconds of silence before it."""
    wanted = _quoted(prompts[-1], 120)
    yield from _streamed(make, "thinking", f"The person asks: {wanted} I look around first.")
    yield _STEP_S, _plan(make, done=0)
    look = {"tool": "read", "input": {"path": "README.md"}}
    yield from _done(make, "tool", "read: README.md", look | {"output": "# A project\n"})
    status = {"command": "git status --short", "exit_code": 0, "output": ""}
    yield from _done(make, "command", "git status --short", status)
    yield _STEP_S, _plan(make, done=1)
    tests = "python -m pytest -q"
    yield from _done(make, "file_change", "src/greeting.py", _change("src/greeting.py", "update"))
    yield _STEP_S, _plan(make, done=2)
    failed = {"command": tests, "exit_code": 1, "output": _TEST_FAILS}
    yield from _done(make, "command", tests, failed, number=2, ok=False)
    added = _change("tests/test_greeting.py", "add")
    yield from _done(make, "file_change", "tests/test_greeting.py", added, number=2)
    passed = {"command": tests, "exit_code": 0, "output": _TEST_PASSES}
    yield from _done(make, "command", tests, passed, number=3)
    yield _STEP_S, _plan(make, done=3)
    answer = _answer(prompts)
    yield from _streamed(make, "message", answer)
    words = sum(len(prompt.split()) for prompt in prompts)
    usage = {
        "input_tokens": words,
        "output_tokens": len(answer.split()),
        "cost_usd": 0.0,
        "model": "scripted",
    }
    yield _PIECE_S, make.completed_ok(answer=answer, usage=usage)


def _done(
    make: EventFactory,
    kind: ActionKind,
    title: str,
    detail: dict[str, Any],
    *,
    number: int = 1,
    ok: bool = True,
) -> Iterator[tuple[float, TakopiEvent]]:
    id_ = f"{ENGINE}.{kind}.{number}"
    known = {key: value for key, value in detail.items() if key not in {"exit_code", "output"}}
    yield _STEP_S, make.action_started(action_id=id_, kind=kind, title=title, detail=known)
    ended = make.action_completed(action_id=id_, kind=kind, title=title, ok=ok, detail=detail)
    yield _STEP_S, ended


def _plan(make: EventFactory, *, done: int) -> TakopiEvent:
    items = [
        {
            "text": text,
            "status": "completed" if n < done else "in_progress" if n == done else "pending",
        }
        for n, text in enumerate(_PLAN)
    ]
    ended = done == len(_PLAN)
    return make.action(
        phase="completed" if ended else "updated" if done else "started",
        action_id="plan",
        kind="plan",
        title="plan",
        detail={"items": items},
        ok=True if ended else None,
    )


def _streamed(
    make: EventFactory, kind: ActionKind, text: str
) -> Iterator[tuple[float, TakopiEvent]]:
    id_ = f"{ENGINE}.{kind}"
    title = "answer" if kind == "message" else str(kind)
    for offset in range(0, len(text), _PIECE_CHARS):
        say = make.action_updated if offset else make.action_started
        detail = {"offset": offset, "text": text[offset : offset + _PIECE_CHARS]}
        yield _PIECE_S, say(action_id=id_, kind=kind, title=title, detail=detail)
    whole = {"offset": 0, "text": text}
    end = make.action_completed(action_id=id_, kind=kind, title=title, ok=True, detail=whole)
    yield _PIECE_S, end


def _change(path: str, kind: str) -> dict[str, Any]:
    return {"changes": [{"path": path, "kind": kind}]}


def _quoted(text: str, limit: int = _QUOTED_CHARS) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _answer(prompts: list[str]) -> str:
    parts = [f"You asked:\n\n> {_quoted(prompts[-1])}"]
    if len(prompts) > 1:
        before = "\n".join(f"{n}. {_quoted(text, 120)}" for n, text in enumerate(prompts[:-1], 1))
        parts.append(f"**Turn {len(prompts)} of this session.** Before that you asked:\n\n{before}")
    parts.append(
        "What a real engine would have done now:\n\n"
        "- read `README.md` and looked at the *state of the tree*\n"
        "- changed `src/greeting.py` and added `tests/test_greeting.py`\n"
        "- run the tests until they passed"
    )
    parts.append('```python\ndef greet(name: str) -> str:\n    return f"Hello, {name}!"\n```')
    parts.append(
        "This is **mock**, a scripted engine: it thinks nothing, and nothing on this machine was "
        "read or changed. Install codex, claude, opencode or pi to work with a real one."
    )
    return "\n\n".join(parts)
