"""One progress render with 1,000 actions behind it."""

import time
from pathlib import PurePosixPath

from benchmarks.figure import Figure
from takopi.core.progress import advance, start_progress
from takopi.core.progress_view import ProgressHeader, render_progress
from takopi.model import Action, ActionEvent, ResumeToken, StartedEvent

__all__ = ["measure"]


def measure(rounds: int = 500) -> list[Figure]:
    """Advance and render after 1,000 actions; compare with encoding the same text once."""
    state = advance(
        start_progress("codex"),
        StartedEvent("codex", ResumeToken("codex", "01a1fc42-c54c-7fd3-a2cd-98b75367b22e")),
    )
    for number in range(1000):
        action = Action(f"item_{number}", "command", f"python -m pytest tests/test_{number}.py")
        state = advance(state, ActionEvent("codex", action, "started"))
        if number % 2:
            state = advance(state, ActionEvent("codex", action, "completed", True))
    header = ProgressHeader("working", "codex", 754.0)
    times = []
    for number in range(rounds):
        action = Action(f"late_{number}", "command", "ls -la src")
        begin = time.perf_counter()
        state = advance(state, ActionEvent("codex", action, "started"))
        render_progress(
            state, header, cwd=PurePosixPath("/home/user/project"), cancel_data="cancel:1"
        )
        times.append(time.perf_counter() - begin)
    worst = sorted(times)[int(len(times) * 0.99)] * 1000
    median = sorted(times)[len(times) // 2] * 1000
    detail = f"median {median:.3f} ms, 99 % within {worst:.3f} ms"
    return [Figure("one progress render after 1,000 actions", worst, 1, "ms", detail)]
