"""Asking an engine's program outside of a turn: bounded, remembered, never an error."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from contract.scripted import ToyRunner
from takopi.engine_query import ask_engine

pytestmark = pytest.mark.anyio


@dataclass
class Program(ToyRunner):
    """Be an engine whose program is a script."""

    path: str = "toy"
    added: str = ""

    def command(self) -> str:
        return self.path

    def env(self, *, state: Any) -> dict[str, str]:
        return {"ADDED": self.added}


def program(folder: Path, script: str) -> Program:
    """Write a program and make its runner."""
    path = folder / "toy"
    path.write_text(f"#!/bin/sh\necho run >> {folder}/runs\n{script}\n")
    path.chmod(0o755)
    return Program(path=str(path))


def runs(folder: Path) -> int:
    """Count how many times the program was started."""
    path = folder / "runs"
    return len(path.read_text().split()) if path.exists() else 0


async def test_an_answer_is_asked_for_once(tmp_path: Path) -> None:
    """Also by two who ask at the same time; another environment is another question."""
    runner = program(tmp_path, 'echo "$1 $ADDED $PWD"; cat')
    answers: list[str | None] = []

    async def ask() -> None:
        answers.append(await ask_engine(runner, ("models",)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        tasks.start_soon(ask)
    await ask()
    assert answers == ["models  /\n"] * 3
    assert runs(tmp_path) == 1
    runner.added = "x"
    assert await ask_engine(runner, ("models",)) == "models x /\n"


@pytest.mark.parametrize("script", ["exit 3", "exec sleep 600"])
async def test_a_program_that_fails_or_hangs_gives_no_answer(tmp_path: Path, script: str) -> None:
    """And is not asked again at once."""
    runner = program(tmp_path, f"echo half; {script}")
    assert await ask_engine(runner, (), limit_s=0.5) is None
    assert await ask_engine(runner, (), limit_s=0.5) is None
    assert runs(tmp_path) == 1


async def test_a_program_that_is_not_there_gives_no_answer(tmp_path: Path) -> None:
    """The menu is shown without models."""
    assert await ask_engine(Program(path=str(tmp_path / "none")), ()) is None


async def test_few_answers_are_kept(tmp_path: Path) -> None:
    """A changing environment does not fill the memory."""
    runner = program(tmp_path, "echo x")
    assert await ask_engine(runner, ("first",)) == "x\n"
    missing = Program(path=str(tmp_path / "none"))
    for number in range(40):
        await ask_engine(missing, (str(number),))
    assert await ask_engine(runner, ("first",)) == "x\n"
    assert runs(tmp_path) == 2
