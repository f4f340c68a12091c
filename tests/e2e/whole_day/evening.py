"""The evening: what was changed is committed, the money is spent, and everything ends."""

import re
from pathlib import Path

import psutil

from e2e.whole_day.day import SECRETS, Day

__all__ = ["a_budget", "changes", "the_end"]

_SECRETS = [secret.encode() for secret in SECRETS]


async def changes(day: Day) -> None:
    """In the branch's topic she looks at the changes and commits them."""
    thread = day.seen["topic"].thread_id
    diff = await day.ask("/diff", "greeting.txt", thread_id=thread)
    assert "Good morning" in diff.text
    day.api.owner.press(diff, "Commit")
    question = await day.hear("Commit in zed @feat/greeting?", after=diff)
    day.api.owner.press(question, question.buttons[0]["text"])
    done = await day.api.wait_message(lambda m: "Committed in zed @feat/greeting" in m.text)
    tree = await day.worktree("zed", "feat/greeting")
    assert await day.git(tree, "rev-parse", "--short=10", "HEAD") in done.text
    assert await day.git(tree, "show", "--format=", "--name-only", "HEAD") == "greeting.txt"
    assert await day.git(tree, "status", "--porcelain") == ""
    assert await day.git(day.project("zed"), "log", "--format=%s", "main") == "Begin"


async def a_budget(day: Day) -> None:
    """The day's budget is used up: she is told, and asked before more is started."""
    spent = await day.ask("/usage", "Projects")
    so_far = re.search(r"\$([0-9.]+)", spent.text)
    assert so_far is not None
    await day.configure("budget.daily_usd", f"{float(so_far[1]) + 0.05:.2f}")
    last = await day.ask("/zed /claude one more")
    await day.hear("budget is used up", after=last)
    before = len(day.model.main_requests)
    prompt = day.api.owner.say("/zed /claude and another")
    question = await day.answer(prompt, "Not started")
    assert not day.asked_since(before), "the engine was started all the same"
    day.api.owner.press(question, "Run anyway")
    assert "and another" in (await day.answer(prompt)).text


async def the_end(day: Day) -> None:
    """The bot ends when it is told to, and leaves nothing behind."""
    await day.api.wait_for(lambda: not day.under_way() or None)
    assert await day.end_bot() == 0
    left = [process for process in psutil.process_iter(["cmdline"]) if _of_the_day(process, day)]
    assert not left, [process.info for process in left]
    status = await day.git(day.project("shop"), "status", "--porcelain")
    assert status == "?? report.md"
    open_files = [path for path in day.home.rglob("*") if path.stat().st_mode & 0o077]
    assert not open_files, "these are open to others"
    written = [path for path in _files(day) if any(word in path.read_bytes() for word in _SECRETS)]
    assert written == [day.config], "a secret stands elsewhere, too"


def _of_the_day(process: psutil.Process, day: Day) -> bool:
    return any(str(day.folder) in word for word in process.info["cmdline"] or ())


def _files(day: Day) -> list[Path]:
    """List the files that takopi writes into: its folder, the projects, the person's settings."""
    places = (day.home, day.folder / "code", day.folder / "person" / ".config")
    return [path for place in places for path in place.rglob("*") if path.is_file()]
