"""What a turn brings besides its prompt, for runners of every kind."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from contract.scripted import ENGINE, HELLO, Script, ToyRunner, line
from contract.stage import S1, Stage, read
from takopi.desktop_sessions import DesktopSession, list_desktop_sessions
from takopi.model import CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.run_host import RunExit
from takopi.runner import BaseRunner, capabilities_of, current_request, list_models, open_turn
from takopi.turn import EngineCapabilities, TurnRequest

pytestmark = pytest.mark.anyio

PICTURE, NOTES = Path("/in/red.png"), Path("/in/notes.txt")
BOTH = (PICTURE, NOTES)
FAILED = RunExit(code=1)


class Foreign:
    """Be the least that a runner can be."""

    engine = ENGINE

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[Path, ...]]] = []

    async def run(self, prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        request = current_request()
        assert request is not None
        self.heard.append((prompt, request.attachments))
        yield StartedEvent(ENGINE, S1)
        yield CompletedEvent(ENGINE, True, "done", S1)


class Seeing(Foreign, BaseRunner):
    """Be a runner in this process that takes pictures."""

    capabilities = EngineCapabilities(images=True, models=("m",))  # type: ignore[assignment]
    run = BaseRunner.run
    run_impl = Foreign.run


@dataclass
class Forgetful(ToyRunner):
    """Say how the engine tells that it does not know a session."""

    unknown_session_re: ClassVar[re.Pattern[str] | None] = re.compile("no such session")


async def test_a_foreign_runner_finds_every_file_in_the_prompt() -> None:
    """It knows nothing of attachments, and its agent can read a path."""
    runner = Foreign()
    await read(open_turn(runner, TurnRequest(prompt="look", attachments=BOTH)))
    assert runner.heard == [("look\n\nAttached files:\n- /in/red.png\n- /in/notes.txt", ())]
    assert capabilities_of(runner) == EngineCapabilities()
    assert await list_models(runner) == ()
    assert await list_desktop_sessions(runner, Path("/w")) == ()


async def test_a_runner_keeps_the_files_that_it_takes() -> None:
    """The rest is in the prompt, once, however many runners a turn goes through."""
    runner = Seeing()
    await read(open_turn(runner, TurnRequest(prompt="look", attachments=BOTH)))
    assert runner.heard == [("look\n\nAttached file: /in/notes.txt", (PICTURE,))]
    assert await list_models(runner) == ("m",)


async def test_what_is_no_name_of_a_model_is_left_out() -> None:
    """A module may hand on what an engine's JSON says of each model; the names count."""

    class Wordy(Seeing):
        async def list_models(self) -> Any:
            return [{"id": "m"}, "o3", None]

    assert await list_models(Wordy()) == ("o3",)


async def test_a_bug_in_a_module_costs_the_picture_only() -> None:
    """Opening a turn does not raise; the agent finds the path in the prompt."""

    class Buggy(Seeing):
        def takes_file(self, path: Path) -> bool:
            raise ValueError(path)

    runner = Buggy()
    await read(open_turn(runner, TurnRequest(prompt="look", attachments=(PICTURE,))))
    assert runner.heard == [("look\n\nAttached file: /in/red.png", ())]


async def test_a_command_gets_the_files_in_its_prompt(stage: Stage) -> None:
    """An engine of lines that takes no pictures is told where they are; run.json shows it."""
    host = stage.scripts(Script(HELLO))
    await read(stage.open(attachments=(PICTURE,)))
    (run,) = host.runs
    assert run.spec.stdin == b"hi\n\nAttached file: /in/red.png"
    assert run.spec.record["prompt"] == "hi\n\nAttached file: /in/red.png"
    assert not run.spec.piped


@pytest.mark.parametrize(
    ("script", "resume", "unknown"),
    [
        (Script((), FAILED, "Error: no such session"), S1, True),
        (Script((line(failed="no such session"),), FAILED), S1, True),
        (Script((), FAILED, "Error: no such model"), S1, False),
        (Script((), FAILED, "Error: no such session"), None, False),
        (Script((line(session="s1"),), FAILED, "no such session"), S1, False),
        (Script(HELLO, stderr="no such session"), S1, False),
    ],
)
async def test_a_lost_session_is_told_apart(
    stage: Stage, script: Script, resume: ResumeToken | None, unknown: bool
) -> None:
    """It fails before anything else happens, and only where a session was asked for."""
    stage.scripts(script)
    turn = stage.open(resume, Forgetful())
    assert not turn.session_unknown
    await read(turn)
    assert turn.session_unknown is unknown


async def test_without_a_word_for_it_no_session_is_lost(stage: Stage) -> None:
    """Runners written by others need not say it, and those without a process cannot."""
    stage.scripts(Script((), FAILED, "Error: no such session"))
    turn = stage.open(S1)
    await read(turn)
    assert not turn.session_unknown
    foreign = open_turn(Foreign(), TurnRequest(prompt="hi"))
    await read(foreign)
    assert not foreign.session_unknown


async def test_a_runner_lists_as_many_sessions_as_are_wanted() -> None:
    """A module may forget the limit."""
    one = DesktopSession(S1, 1.0, "words", Path("/w"))

    class Listing(Foreign):
        async def list_sessions(self, cwd: Path, limit: int) -> list[DesktopSession]:
            return [one] * (limit + 1)

    assert await list_desktop_sessions(Listing(), Path("/w"), 2) == (one, one)
    assert await list_desktop_sessions(Listing(), Path("/w"), 0) == ()
