"""What hears voice notes, as the configuration wants it."""

from takopi.core.voice_notes import VoiceLimits
from takopi.errors import ConfigError, VoiceError, VoiceNotConfigured
from takopi.logging import get_logger
from takopi.settings import Settings
from takopi.transcription import Transcriber, Transcript, VoiceNote
from takopi.voice.choose import make_transcriber

__all__ = ["open_transcriber"]

_log = get_logger(__name__)


class _NotUsable:
    """Say of every voice note what is wrong with the configuration; the bot serves all the same."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def transcribe(self, voice: VoiceNote) -> Transcript:
        """Refuse.

        Raises:
            VoiceNotConfigured: Always.
        """
        del voice
        raise VoiceNotConfigured(self._why)


def open_transcriber(settings: Settings) -> Transcriber | None:
    """Return what transcribes; None when nothing is set up. Nothing is started or loaded yet."""
    try:
        return make_transcriber(settings.voice, VoiceLimits(max_mb=settings.files.max_down_mb))
    except (VoiceError, ConfigError) as error:
        _log.error("voice.not_usable", error=str(error))
        return _NotUsable(str(error))
