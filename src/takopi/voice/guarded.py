"""What every way of transcribing has in common: what is taken, how many, how long, and the end."""

from dataclasses import replace as with_changes

import anyio

from takopi.core.texts import tr
from takopi.core.voice_notes import NoteFacts, VoiceLimits, objection, spoken_text
from takopi.errors import TranscriptionFailed
from takopi.transcription import Transcriber, Transcript, VoiceNote

__all__ = ["AT_ONCE", "GuardedTranscriber"]

AT_ONCE = 2
"""How many voice notes are transcribed at the same time; the others wait their turn."""


class GuardedTranscriber:
    """Let another transcriber hear only what it should, and return only words.

    Args:
        inner: Does the work.
        limits: Which voice notes are taken.
        language: Is spoken in notes that name none.
        timeout_s: How long one note may take; waiting for its turn does not count.
    """

    def __init__(
        self,
        inner: Transcriber,
        limits: VoiceLimits,
        *,
        language: str | None = None,
        timeout_s: float = 120,
    ) -> None:
        self._inner = inner
        self._limits = limits
        self._language = language
        self._timeout_s = timeout_s
        self._turns = anyio.Semaphore(AT_ONCE)

    async def transcribe(self, voice: VoiceNote) -> Transcript:
        """Return what is said in a voice note.

        Raises:
            VoiceError: One of its leaves.
        """
        await self._check(voice)
        voice = with_changes(voice, language=voice.language or self._language)
        heard: Transcript | None = None
        async with self._turns:
            with anyio.move_on_after(self._timeout_s):
                heard = await self._inner.transcribe(voice)
        if heard is None:
            raise TranscriptionFailed(
                tr(
                    "Transcribing was ended after {seconds} s: try again, or raise "
                    "`voice.timeout_s`.",
                    seconds=f"{self._timeout_s:g}",
                ),
                retry_may_help=True,
            )
        text = spoken_text(heard.text)
        if not text:
            raise TranscriptionFailed(
                tr("No words were heard in the voice note: record it again, or write the prompt.")
            )
        return with_changes(heard, text=text)

    async def _check(self, voice: VoiceNote) -> None:
        try:
            found = await anyio.Path(voice.path).stat()
        except OSError:
            raise TranscriptionFailed(
                tr("The voice note is not on the disk any more: send it again.")
            ) from None
        facts = NoteFacts(voice.path.suffix, voice.mime, found.st_size, voice.duration_s)
        reason = objection(facts, self._limits)
        if reason is not None:
            raise TranscriptionFailed(reason)
