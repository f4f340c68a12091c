"""What every way of transcribing has in common, and which way is chosen."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest

from fakes.clock import settle
from takopi.core.voice_notes import VoiceLimits
from takopi.errors import TranscriptionFailed, VoiceError
from takopi.transcription import Transcript, VoiceNote, voice_not_configured
from takopi.voice.choose import VoiceSettings, make_transcriber
from takopi.voice.command import CommandTranscriber
from takopi.voice.endpoint import EndpointTranscriber
from takopi.voice.guarded import GuardedTranscriber
from takopi.voice.local import LocalTranscriber
from voice.notes import note


@dataclass
class Hearer:
    """Be a transcriber that answers when a test lets it."""

    text: str = "words"
    heard: list[VoiceNote] = field(default_factory=list)
    go_on: anyio.Event | None = None
    cancelled: int = 0

    async def transcribe(self, voice: VoiceNote) -> Transcript:
        self.heard.append(voice)
        if self.go_on is not None:
            try:
                await self.go_on.wait()
            except anyio.get_cancelled_exc_class():
                self.cancelled += 1
                raise
        return Transcript(self.text, voice.language)


def guarded(hearer: Hearer, **options) -> GuardedTranscriber:
    return GuardedTranscriber(hearer, VoiceLimits(max_mb=1), **options)


@pytest.mark.anyio
async def test_the_language_of_the_note_goes_before_that_of_the_configuration(tmp_path) -> None:
    hearer = Hearer()
    asked = guarded(hearer, language="de")
    assert (await asked.transcribe(note(tmp_path))).language == "de"
    assert (await asked.transcribe(replace(note(tmp_path), language="en"))).language == "en"


@pytest.mark.anyio
async def test_silence_is_told_and_not_taken_for_a_prompt(tmp_path) -> None:
    with pytest.raises(TranscriptionFailed, match="No words were heard") as caught:
        await guarded(Hearer(" [BLANK_AUDIO]\n")).transcribe(note(tmp_path))
    assert not caught.value.retry_may_help


@pytest.mark.anyio
async def test_what_is_not_taken_is_not_heard(tmp_path) -> None:
    """Too large, of the wrong type, or gone: nobody is asked."""
    hearer = Hearer()
    for wrong, why in (
        (note(tmp_path, b"x" * 2_000_000, "large.oga"), r"has 1\.9 MB, and 1 MB are"),
        (replace(note(tmp_path), mime="text/plain"), "no voice note"),
        (replace(note(tmp_path), path=tmp_path / "gone.oga"), "send it again"),
    ):
        with pytest.raises(TranscriptionFailed, match=why):
            await guarded(hearer).transcribe(wrong)
    assert hearer.heard == []


@pytest.mark.anyio
async def test_two_are_heard_at_once_and_the_others_wait_their_turn(tmp_path) -> None:
    """A cancelled one makes room, whether it was heard or waited."""
    hearer = Hearer(go_on=anyio.Event())
    transcriber = guarded(hearer)
    got: list[str] = []
    scopes = [anyio.CancelScope() for _ in range(5)]

    async def one(number: int) -> None:
        with scopes[number]:
            await transcriber.transcribe(replace(note(tmp_path), language=str(number)))
            got.append(str(number))

    async def heard() -> list[str | None]:
        await settle()
        return [voice.language for voice in hearer.heard]

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(one, number)
            await heard()
        assert await heard() == ["0", "1"]
        scopes[2].cancel()
        scopes[0].cancel()
        assert await heard() == ["0", "1", "3"]
        hearer.go_on.set()
    assert sorted(got) == ["1", "3", "4"]
    assert hearer.cancelled == 1


@pytest.mark.anyio
async def test_waiting_for_a_turn_does_not_count_as_time(tmp_path) -> None:
    """Those that take too long end; the one behind them has all of its time."""
    hearer = Hearer(go_on=anyio.Event())
    transcriber = guarded(hearer, timeout_s=0.05)
    told: list[TranscriptionFailed] = []

    async def one() -> None:
        with pytest.raises(TranscriptionFailed, match=r"ended after 0\.05 s") as caught:
            await transcriber.transcribe(note(tmp_path))
        told.append(caught.value)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(one)
    assert [error.retry_may_help for error in told] == [True] * 3
    assert hearer.cancelled == 3


def way(**settings) -> object:
    transcriber = make_transcriber(VoiceSettings(**settings))
    assert isinstance(transcriber, GuardedTranscriber)
    return transcriber._inner


def test_the_way_that_leaves_the_least_to_others_is_chosen() -> None:
    """A command goes before a folder, a folder before a service; without any there is none."""
    service = {"base_url": "http://127.0.0.1/v1", "api_key": "some-key"}
    folder = {"model_dir": Path("/models")}
    command = {"command": ("hear",)}
    assert make_transcriber(VoiceSettings(api_key="some-key")) is None
    assert isinstance(way(**service), EndpointTranscriber)
    assert isinstance(way(**service, **folder), LocalTranscriber)
    assert isinstance(way(**service, **folder, **command), CommandTranscriber)


@pytest.mark.anyio
async def test_the_limits_are_those_that_were_given(tmp_path) -> None:
    short = make_transcriber(VoiceSettings(command=("cat",)), VoiceLimits(max_minutes=0.01))
    assert short is not None
    with pytest.raises(TranscriptionFailed, match=r"lasts 0\.1 minutes"):
        await short.transcribe(note(tmp_path))


def test_what_is_not_set_up_is_told_with_the_ways() -> None:
    error = voice_not_configured()
    assert isinstance(error, VoiceError)
    assert "`voice.base_url`, `voice.command` or `voice.model_dir`" in str(error)
