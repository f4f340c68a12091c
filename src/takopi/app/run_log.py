"""`takopi logs`: what a run printed, as text, from its directory alone.

Nothing is claimed, signalled or adopted: the bot may be following the same file.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from takopi.app.engines import EngineShelf
from takopi.app.home import Home
from takopi.app.owned_home import open_journal_to_read
from takopi.engines import find_engines
from takopi.errors import UsageError
from takopi.model import ResumeToken
from takopi.process.run_views import RunView, look_at_run, run_names
from takopi.runner import JsonlFold, JsonlSubprocessRunner
from takopi.settings import load_settings
from takopi.terminal.log_view import LogView
from takopi.terminal.paint import harmless
from takopi.turn import TurnRequest

__all__ = ["LogWish", "find_run", "show_log"]

CHUNK_BYTES = 64 * 1024
LOOK_EVERY_S = 0.2
STDERR_BYTES = 8192


class LogWish(msgspec.Struct, frozen=True, kw_only=True):
    """Say what of which run is shown.

    Args:
        name: A turn, a run, or the beginning of either; None for the newest run.
        follow: Wait for more until the run ends.
        raw: Show what the engine printed as it is.
    """

    name: str | None = None
    follow: bool = False
    raw: bool = False


def show_log(home: Home, wish: LogWish) -> None:
    """Write a run to standard output.

    Raises:
        UsageError: There is no such run, or none that can be shown as text.
        PluginError: The engine's module cannot be used.
        ConfigError: The engine's table of the configuration is wrong.
    """
    run = find_run(home, wish.name)
    if wish.raw:
        for chunk in _chunks(run, follow=wish.follow):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        return
    runner = EngineShelf(find_engines(home.path), load_settings(home.config)).runner(run.engine)
    if not isinstance(runner, JsonlSubprocessRunner):
        raise UsageError(f"{run.engine} does not print what takopi could replay; see it with --raw")
    view = LogView(_write, runner, Path(run.cwd or "/"))
    prompt = _request(run).prompt
    if prompt:
        _write(harmless("".join(f"> {line}\n" for line in prompt.splitlines())))
    over = _replay(run, JsonlFold(runner, _request(run)), view, follow=wish.follow)
    if not over:
        more = f"takopi logs --follow {wish.name or run.run_id}"
        sys.stderr.write(f"takopi: the run goes on; `{more}` follows it\n")


def _replay(run: RunView, fold: JsonlFold, view: LogView, *, follow: bool) -> bool:
    """Show all events there are; tell whether the last one was among them."""
    for chunk in _chunks(run, follow=follow):
        for event in fold.feed(chunk):
            view.take(event)
    last = look_at_run(run.directory.parent, run.run_id) or run
    if last.state == "running" and fold.rules.completed is None:
        return False
    exit_ = last.exit
    stderr = _tail(run.stderr)
    code, reason = (None, None) if exit_ is None else (exit_.returncode, exit_.reason)
    for event in fold.finish(code, stderr=stderr, ended_because=reason):
        view.take(event)
    return True


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _request(run: RunView) -> TurnRequest:
    prompt, resume = run.record.get("prompt"), run.record.get("resume")
    return TurnRequest(
        prompt=prompt if isinstance(prompt, str) else "",
        resume=ResumeToken(run.engine, resume) if isinstance(resume, str) else None,
        cwd=Path(run.cwd) if run.cwd else None,
    )


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - STDERR_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _chunks(run: RunView, *, follow: bool) -> Iterator[bytes]:
    """Yield what the engine printed; with `follow`, until nothing more can come."""
    try:
        file = run.stdout.open("rb")
    except FileNotFoundError:
        return
    with file:
        working = follow
        while True:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
            if not working:
                return
            time.sleep(LOOK_EVERY_S)
            # Looked at before the last reading: what came before the end is read in any case.
            seen = look_at_run(run.directory.parent, run.run_id)
            working = seen is not None and seen.state in ("starting", "running")


def find_run(home: Home, name: str | None) -> RunView:
    """Return the run of a turn, or a run by its own name.

    Args:
        home: Whose runs.
        name: Of a turn or run, or its beginning; None for the newest run.

    Raises:
        UsageError: There is none, or several begin so.
    """
    names = run_names(home.runs)
    if name is None:
        if not names:
            raise UsageError('there was no run yet; `takopi codex "hello"` makes one')
        chosen = names[0]
    else:
        chosen = _named(home, names, name)
    run = look_at_run(home.runs, chosen)
    if run is None:
        raise UsageError(f"the directory of the run {chosen} is gone; old ones are removed")
    return run


def _named(home: Home, names: list[str], name: str) -> str:
    found = [name] if name in names else [one for one in names if one.startswith(name)]
    with open_journal_to_read(home) as journal:
        if len(found) == 1 or journal is None:
            return _the_one(found, name)
        turn = journal.turn(name)
    if turn.run_id is None:
        raise UsageError(
            f"the turn {turn.turn_id} is {turn.state} and has no run; `takopi ps` shows what it "
            "waits for"
        )
    return turn.run_id


def _the_one(found: list[str], name: str) -> str:
    if not found:
        raise UsageError(f"no turn or run is called `{name}`; `takopi ps --all` lists them")
    if len(found) > 1:
        raise UsageError(f"{len(found)} runs begin with `{name}`; give more of its id")
    return found[0]
