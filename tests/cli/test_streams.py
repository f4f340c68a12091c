"""What a person reads on standard error."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.toy_engine import install_toy_engine
from takopi.cli.streams import steady_streams, tell

FULL = Path("/dev/full")
LOST = "takopi: standard output cannot be written: No space left on device; free some space, or"
on_a_full_disk = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_complaints_are_broken_between_words(monkeypatch) -> None:
    """Elsewhere they are one line, for whoever searches a log."""
    monkeypatch.setenv("COLUMNS", "20")
    for stream, told in (
        (Terminal(), "it is missing; make\nit with `mkdir x`\n"),
        (io.StringIO(), "it is missing; make it with `mkdir x`\n"),
    ):
        monkeypatch.setattr(sys, "stderr", stream)
        tell("it is missing; make it with `mkdir x`")
        assert stream.getvalue() == told


def test_a_closed_input_is_an_empty_one(monkeypatch) -> None:
    """Whoever reads it finds its end."""
    monkeypatch.setattr(sys, "stdin", None)
    steady_streams()
    with sys.stdin as opened:
        assert opened.buffer.read() == b""


@on_a_full_disk
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        *(
            pytest.param(words.split(), marks=pytest.mark.long)
            for words in ("--help", "doctor", "plugins", "ps", "config path", "config list --all")
        ),
    ],
    ids=" ".join,
)
def test_output_that_cannot_be_written_is_no_fault_of_takopi(
    argv, environment, arguments, unbuffered
) -> None:
    """One line says so, also when there is more than a buffer takes; exit status 1."""
    with FULL.open("w") as full:
        done = subprocess.run(
            [*argv, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment | {"PYTHONUNBUFFERED": unbuffered},
            timeout=60,
        )
    assert (done.returncode, done.stderr[: len(LOST)]) == (1, LOST)
    assert done.stderr.count("\n") == 1


@pytest.mark.long
@on_a_full_disk
def test_a_turn_whose_answer_cannot_be_written_tells_its_session(cli, argv, environment) -> None:
    """Neither is an answer lost where only progress cannot be written."""
    install_toy_engine(Path(environment["TAKOPI_HOME"]), Path(environment["HOME"]) / "bin")
    with FULL.open("w") as full:
        spoken = {"text": True, "env": environment, "timeout": 60, "stdin": subprocess.DEVNULL}
        lost = subprocess.run(
            [*argv, "toy", "hi " * 9000], stdout=full, stderr=subprocess.PIPE, **spoken
        )
        assert lost.returncode == 1
        *_, resume, told = lost.stderr.splitlines()
        assert resume.startswith("toy --resume toy-")
        assert told.startswith(LOST)
        silent = subprocess.run([*argv, "toy", "hi"], stdout=subprocess.PIPE, stderr=full, **spoken)
        assert (silent.returncode, silent.stdout) == (0, "toy heard: hi\n")
        spoken |= {"input": "one\ntwo\n"}
        del spoken["stdin"]
        chat = subprocess.run(
            [*argv, "chat", "--engine", "toy"], stdout=full, stderr=subprocess.PIPE, **spoken
        )
        assert chat.returncode == 1
        assert chat.stderr.splitlines()[-1].startswith(LOST)


@pytest.mark.long
def test_a_reader_that_has_gone_is_no_error(argv, environment) -> None:
    """Nothing is said, and nothing is wrong."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*argv, "--version"], stdout=writer, stderr=subprocess.PIPE, env=environment, timeout=60
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
