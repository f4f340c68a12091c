"""One turn in the terminal: `takopi codex "fix the tests"`."""

import sys
import time
from contextlib import suppress
from pathlib import Path

import anyio
import msgspec

from takopi.app.home import current_directory, is_directory
from takopi.app.leaving import leave_now, stop_signals
from takopi.app.runtime import Runtime, open_runtime
from takopi.core.markdown import render_markdown
from takopi.desktop_sessions import desktop_directory
from takopi.errors import WorkDirMissing
from takopi.logging import configure_logging
from takopi.model import ResumeToken
from takopi.resume_tokens import check_token
from takopi.runner import Runner, open_turn
from takopi.terminal.paint import harmless, to_rich
from takopi.terminal.screen import can_redraw, make_screen
from takopi.terminal.single import JsonView, TurnView, View, follow_turn
from takopi.turn import TurnRequest

__all__ = ["OneTurn", "resume_token", "run_turn"]


class OneTurn(msgspec.Struct, frozen=True, kw_only=True):
    """Say what one turn in the terminal is to do.

    Args:
        engine: Who does it.
        prompt: What to do.
        resume: Id or resume line of the session to continue.
        as_json: Print events instead of progress and answer.
    """

    engine: str
    prompt: str
    resume: str | None = None
    as_json: bool = False


def run_turn(wanted: OneTurn) -> int:
    """Run the turn and return the exit status: 0, 1 for a failed turn, 130 after Ctrl-C.

    Raises:
        TakopiError: It cannot even begin.
    """
    with open_runtime() as runtime:
        runner = runtime.shelf.runner(wanted.engine)
        configure_logging()
        token = None if wanted.resume is None else resume_token(runner, wanted.resume)
        request = TurnRequest(
            prompt=wanted.prompt,
            resume=token,
            cwd=_directory(runtime, runner, token),
            record={"origin": "terminal"},
        )
        return anyio.run(_follow, runner, request, wanted.as_json)


async def _follow(runner: Runner, request: TurnRequest, as_json: bool) -> int:
    turn = open_turn(runner, request)
    if as_json:
        return await follow_turn(turn, JsonView(sys.stdout), stop_signals(), leave_now)
    live = sys.stdout.isatty() and sys.stderr.isatty() and can_redraw()
    with make_screen(live=live, stderr=True) as screen:
        assert request.cwd is not None
        view: View = TurnView(screen, _print_answer, runner, request.cwd, time.monotonic)
        return await follow_turn(turn, view, stop_signals(), leave_now)


def _print_answer(answer: str) -> None:
    """Write the answer: formatted for a person, as the engine wrote it for anything else."""
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(to_rich(render_markdown(answer)))
    else:
        sys.stdout.write(answer.rstrip("\n") + "\n")
    sys.stdout.flush()


def resume_token(runner: Runner, text: str) -> ResumeToken:
    """Read a session from its id or from a whole resume line.

    Raises:
        UsageError: It is neither.
    """
    found = runner.extract_resume(text)
    if found is not None:
        return found
    token = ResumeToken(runner.engine, text.strip().strip("`"))
    check_token(runner.engine, token)
    return token


def _directory(runtime: Runtime, runner: Runner, token: ResumeToken | None) -> Path:
    """Return where the turn works: a session goes on where it began.

    Raises:
        WorkDirMissing: That directory is gone.
        UsageError: The current directory is gone.
    """
    known = None if token is None else runtime.host.session_cwd(token)
    if token is not None and known is None:
        known = anyio.run(desktop_directory, runner, token)
    if known is not None:
        if not is_directory(known):
            raise WorkDirMissing(known)
        if not known.samefile("."):
            with suppress(OSError):  # no turn fails for a remark
                sys.stderr.write(f"takopi: the session goes on in {harmless(str(known))}\n")
        return known
    return current_directory()
