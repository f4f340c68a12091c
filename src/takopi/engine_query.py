"""Ask an engine's program something outside of a turn: bounded in time, and remembered.

Starting a program takes up to seconds, so nothing of this happens before somebody asks, and what
it said is kept for a while. Whatever goes wrong is no answer, never an error: who asks has a menu
to show, and a turn would say what is wrong much better.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from takopi.jsonl_runner import JsonlSubprocessRunner
from takopi.jsonl_turn import environment_of
from takopi.logging import get_logger
from takopi.runner_runtime import passed_variables

__all__ = ["ANSWER_KEPT_S", "ASK_LIMIT_S", "ask_engine"]

ASK_LIMIT_S = 20.0
"""How long a program may take; opencode's first start takes more than ten seconds."""

ANSWER_KEPT_S = 600.0
_FAILURE_KEPT_S = 60.0
_MOST_KEPT = 32

_log = get_logger(__name__)


@dataclass
class _Answer:
    """Be what a program said last; `until` is on the clock of the event loop."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    until: float = float("-inf")
    text: str | None = None


# One for the process, as the programs are.
_answers: dict[tuple[tuple[str, ...], frozenset[tuple[str, str]]], _Answer] = {}


async def ask_engine(
    runner: JsonlSubprocessRunner, args: Sequence[str], *, limit_s: float = ASK_LIMIT_S
) -> str | None:
    """Return what an engine's program prints; None when it fails, hangs or is not there.

    Args:
        runner: Says which program, and with which environment.
        args: Its arguments.
        limit_s: Seconds after which it is ended.
    """
    argv = (runner.command(), *args)
    hook = runner.env(state=runner.new_state("", None))
    env = environment_of(runner, passed_variables(runner.engine), hook)
    key = (argv, frozenset(env.items()))
    if len(_answers) >= _MOST_KEPT and key not in _answers:
        _answers.clear()
    answer = _answers.setdefault(key, _Answer())
    async with answer.lock:  # who comes second waits for the first, and starts nothing
        if anyio.current_time() >= answer.until:
            answer.text = await _print_of(argv, env, limit_s)
            kept_s = _FAILURE_KEPT_S if answer.text is None else ANSWER_KEPT_S
            answer.until = anyio.current_time() + kept_s
        return answer.text


async def _print_of(argv: tuple[str, ...], env: Mapping[str, str], limit_s: float) -> str | None:
    # No project's directory: what a menu offers does not depend on who opened it first.
    nowhere = os.sep
    try:
        with anyio.move_on_after(limit_s):
            done = await anyio.run_process(
                argv,
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                cwd=nowhere,
                env={**env, "PWD": nowhere},
            )
            return None if done.returncode else done.stdout.decode("utf-8", "replace")
    except OSError as error:
        _log.info("engine.not_asked", program=argv[0], error=str(error))
        return None
    _log.warning("engine.asked_in_vain", program=argv[0], seconds=limit_s)
    return None
