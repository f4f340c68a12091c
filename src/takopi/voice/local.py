"""Transcribe in this process with faster-whisper, which the extra `takopi[voice]` installs.

The model comes from a folder of the person's, never from the network. It is loaded when the first
voice note comes, and stays: loading takes longer than a short note does.
"""

import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import anyio.to_thread

from takopi.core.texts import tr
from takopi.errors import TranscriptionFailed, VoiceError, VoiceNotConfigured
from takopi.logging import get_logger
from takopi.transcription import Transcript, VoiceNote

__all__ = ["LocalTranscriber", "Model", "load_model"]

_NEEDED_FILES = ("config.json", "model.bin", "tokenizer.json")
_MOST_CORES = 4

_log = get_logger(__name__)


class Segment(Protocol):
    """Be a piece of a transcript."""

    text: str


class Info(Protocol):
    """Be what a model found out about a sound."""

    language: str


class Model(Protocol):
    """Be what is used of `faster_whisper.WhisperModel`."""

    def transcribe(self, audio: str, **options: Any) -> tuple[Iterable[Segment], Info]:
        """Decode a file; the segments are made while they are taken."""
        ...


def load_model(folder: Path) -> Model:
    """Load the model of a folder.

    Raises:
        VoiceNotConfigured: The package, the folder or a file in it is missing or broken.
    """
    # Without its tokenizer.json the package would fetch one from the network.
    missing = [name for name in _NEEDED_FILES if not (folder / name).is_file()]
    if missing:
        raise VoiceNotConfigured(
            tr(
                "There is no Whisper model for CTranslate2 in {folder}: {missing} is missing. "
                "Correct `voice.model_dir`.",
                folder=folder,
                missing=", ".join(missing),
            )
        )
    try:
        package = importlib.import_module("faster_whisper")
    except ImportError as error:
        _log.info("voice.no_package", error=str(error))
        raise VoiceNotConfigured(
            tr(
                "`voice.model_dir` needs the package faster-whisper: install it with "
                "`{python} -m pip install faster-whisper` and start takopi anew.",
                python=sys.executable,
            )
        ) from None
    # One core stays free for the bot; more than four do not make a short note faster.
    cores = max(1, min(_MOST_CORES, (os.cpu_count() or 1) - 1))
    options = {"device": "cpu", "compute_type": "int8", "cpu_threads": cores}
    try:
        model: Model = package.WhisperModel(str(folder), local_files_only=True, **options)
    except Exception as error:  # foreign code: it may raise anything
        raise VoiceNotConfigured(
            tr(
                "The Whisper model in {folder} cannot be loaded ({why}): correct "
                "`voice.model_dir`, or fetch the model again.",
                folder=folder,
                why=f"{type(error).__name__}: {error}"[:200],
            )
        ) from error
    return model


class LocalTranscriber:
    """Transcribe one voice note after the other in a worker thread.

    Args:
        folder: Holds the model.
        load: Loads it; may raise VoiceError.
    """

    def __init__(self, folder: Path, load: Callable[[Path], Model] = load_model) -> None:
        self._folder = folder
        self._load = load
        self._model: Model | None = None
        # A cancelled thread goes on until its piece is done; the next one waits for that.
        self._at_work = threading.Lock()

    async def transcribe(self, voice: VoiceNote) -> Transcript:
        """Return what the model heard.

        Raises:
            VoiceError: One of its leaves.
        """
        unwanted = threading.Event()
        try:
            return await anyio.to_thread.run_sync(
                self._work, voice, unwanted, abandon_on_cancel=True
            )
        finally:
            unwanted.set()

    def _work(self, voice: VoiceNote, unwanted: threading.Event) -> Transcript:
        with self._at_work:
            if unwanted.is_set():
                return Transcript("")
            if self._model is None:
                self._model = self._load(self._folder)
            try:
                return _hear(self._model, voice, unwanted)
            except VoiceError:
                raise
            except Exception as error:  # foreign code reads a stranger's file
                _log.info("voice.not_read", error=f"{type(error).__name__}: {error}")
                raise TranscriptionFailed(
                    tr("The voice note cannot be read: record it again, or write the prompt.")
                ) from error


def _hear(model: Model, voice: VoiceNote, unwanted: threading.Event) -> Transcript:
    # The filter drops silence, in which models hear words that nobody said.
    segments, info = model.transcribe(
        str(voice.path),
        language=voice.language,
        vad_filter=True,
        condition_on_previous_text=False,
    )
    heard: list[str] = []
    for segment in segments:
        if unwanted.is_set():
            break
        heard.append(segment.text)
    return Transcript(" ".join(heard), info.language)
