"""Let a program of the person's choice transcribe: a file goes in, text comes out."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL

import anyio
from anyio.abc import ByteReceiveStream, Process

from takopi.core.clean import clean_text
from takopi.core.engine_env import engine_environment
from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.errors import TranscriptionFailed, VoiceNotConfigured
from takopi.logging import get_logger, redact
from takopi.transcription import Transcript, VoiceNote
from takopi.utils.subprocess import manage_subprocess

__all__ = ["FILE", "CommandTranscriber", "command_line"]

FILE = "{file}"
"""Stands in the command for the path of the voice note."""

_MAX_OUTPUT_BYTES = 1024 * 1024
_KEPT_ERROR_BYTES = 4096
_MAX_REASON_CHARS = 300
# Beside what engines get: what such programs need for models and graphics cards.
_PASSES = ("CUDA_*", "GGML_*", "HF_HOME", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")

_log = get_logger(__name__)


def command_line(command: Sequence[str], file: Path, home: Path) -> list[str]:
    """Put a file into a command; it goes last when no argument names a place for it.

    Args:
        command: Program and arguments.
        file: The voice note.
        home: Stands for `~/` at the beginning of an argument, since no shell reads the command.
    """
    words = [f"{home}{word[1:]}" if word.startswith("~/") else word for word in command]
    if not any(FILE in word for word in words[1:]):
        words.append(FILE)
    return [words[0], *(word.replace(FILE, str(file)) for word in words[1:])]


class CommandTranscriber:
    """Run a command for each voice note.

    It runs without a shell, in an empty folder that is deleted afterwards (some programs leave
    their results there), with the environment that engines get, and ends with all that it
    started. The time limit is `GuardedTranscriber`'s.

    Args:
        command: Program and arguments; `{file}` stands for the voice note.

    Raises:
        VoiceNotConfigured: The program cannot be one.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        program = self._command[0] if self._command else ""
        relative = "/" in program and not program.startswith(("/", "~/"))
        if not program.strip() or relative or any("\0" in word for word in self._command):
            raise VoiceNotConfigured(
                tr(
                    "`voice.command` must begin with a program on the PATH or with a whole path, "
                    "as in {example}.",
                    example='["whisper-cli", "{file}"]',
                )
            )

    async def transcribe(self, voice: VoiceNote) -> Transcript:
        """Return what the command printed.

        Raises:
            VoiceError: One of its leaves.
        """
        argv = command_line(self._command, voice.path.absolute(), Path.home())
        environment = engine_environment(os.environ, engine="whisper", passes=_PASSES)
        try:
            with tempfile.TemporaryDirectory(
                prefix="takopi-voice-", ignore_cleanup_errors=True
            ) as folder:
                async with manage_subprocess(
                    argv, stdin=DEVNULL, cwd=folder, env=environment
                ) as process:
                    text = await _heard(process)
        except OSError as error:
            raise _cannot_start(argv[0], error) from None
        return Transcript(text, voice.language)


def _cannot_start(program: str, error: OSError) -> VoiceNotConfigured:
    why = error.strerror or type(error).__name__
    return VoiceNotConfigured(
        tr(
            "`voice.command` cannot be started: {program}: {why}. Install it, or correct "
            "`voice.command`.",
            program=program,
            why=why,
        )
    )


async def _heard(process: Process) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    output = bytearray()
    complaint = bytearray()

    async def read_complaint(stream: ByteReceiveStream) -> None:
        async for piece in stream:
            complaint.extend(piece)
            del complaint[:-_KEPT_ERROR_BYTES]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read_complaint, process.stderr)
        async for piece in process.stdout:
            output += piece
            if len(output) > _MAX_OUTPUT_BYTES:
                tasks.cancel_scope.cancel()
                break
    if len(output) > _MAX_OUTPUT_BYTES:
        raise TranscriptionFailed(
            tr("`voice.command` printed more than a transcript: let it print the words alone.")
        )
    status = await process.wait()
    said = redact(clean_text(complaint.decode("utf-8", "replace"))).strip()
    if status != 0:
        _log.info("voice.command_failed", status=status, stderr=said)
        raise _failed(status, said)
    return output.decode("utf-8", "replace")


def _failed(status: int, said: str) -> TranscriptionFailed:
    last = said.splitlines()[-1].strip() if said else ""
    text = tr(
        "`voice.command` failed (exit status {status}): run it yourself with a voice note to see "
        "why.",
        status=status,
    )
    if last:
        text += " " + tr("It says: {reason}", reason=one_line(last, _MAX_REASON_CHARS))
    return TranscriptionFailed(text)
