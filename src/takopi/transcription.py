"""Voice notes turned into words: what is asked for, what comes back, and who does it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from takopi.core.texts import tr
from takopi.errors import VoiceNotConfigured

__all__ = ["Transcriber", "Transcript", "VoiceNote", "voice_not_configured"]


@dataclass(frozen=True, slots=True)
class VoiceNote:
    """Name a voice note that lies on the disk.

    Args:
        path: The file; takopi's own copy, since a command that the person chose gets it.
        mime: Its type, such as `audio/ogg`; empty when the chat service named none.
        duration_s: Its length in seconds, where that is known.
        language: The language spoken, as in `en`; None lets the transcriber find out.
    """

    path: Path
    mime: str = "audio/ogg"
    duration_s: float | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """Carry what was said.

    Args:
        text: The words, with a blank line between paragraphs; never empty.
        language: The language they were taken for, where that is known.
    """

    text: str
    language: str | None = None


class Transcriber(Protocol):
    """Turn voice notes into words."""

    async def transcribe(self, voice: VoiceNote) -> Transcript:
        """Return what is said in a voice note; may take minutes, and may be cancelled.

        Raises:
            VoiceNotConfigured: A program, package or model that it needs is not there.
            TranscriptionFailed: There are no words for this voice note.
        """
        ...


def voice_not_configured() -> VoiceNotConfigured:
    """Make the error for a voice note that comes while no transcriber is set up."""
    return VoiceNotConfigured(
        tr(
            "Voice notes are not set up here: set `voice.base_url`, `voice.command` or "
            "`voice.model_dir` in takopi.toml, or write the prompt."
        )
    )
