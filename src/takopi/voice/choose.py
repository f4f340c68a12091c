"""Choose who transcribes, by what the person has set up."""

from dataclasses import dataclass, field
from pathlib import Path

from takopi.core.texts import tr
from takopi.core.voice_notes import VoiceLimits
from takopi.errors import VoiceNotConfigured
from takopi.transcription import Transcriber
from takopi.voice.guarded import GuardedTranscriber

__all__ = ["VoiceSettings", "make_transcriber"]


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """Hold `[voice]` as plain values.

    Args:
        base_url: Address of an OpenAI-compatible service, up to and with its `/v1`.
        api_key: Its key; local services need none.
        model: The model that the service is asked for.
        command: A program with its arguments; `{file}` stands for the voice note.
        model_dir: Folder of a CTranslate2 Whisper model.
        language: The language that is spoken, as in `en`; None lets the model find out.
        timeout_s: How long one voice note may take once it is its turn.
        max_mb: Largest voice note.
        max_minutes: Longest voice note.
    """

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    model: str = "whisper-1"
    command: tuple[str, ...] = ()
    model_dir: Path | None = None
    language: str | None = None
    timeout_s: float = 120
    max_mb: float = 20
    max_minutes: float = 30


def make_transcriber(settings: VoiceSettings) -> Transcriber | None:
    """Return the transcriber that is set up, or None when there is none.

    When several are, the one that leaves the least to others wins: `command`, then `model_dir`,
    then `base_url`. Nothing is started, loaded or connected here.

    Raises:
        VoiceNotConfigured: A value cannot be used.
        ConfigError: The environment names a proxy that cannot be used.
    """
    chosen = _chosen(settings)
    if chosen is None:
        return None
    limits = VoiceLimits(settings.max_mb, settings.max_minutes)
    return GuardedTranscriber(
        chosen, limits, language=settings.language, timeout_s=settings.timeout_s
    )


def _chosen(settings: VoiceSettings) -> Transcriber | None:
    # Each way is imported when it is the one: aiohttp alone takes longer than the rest together.
    if settings.command:
        from takopi.voice.command import CommandTranscriber

        return CommandTranscriber(settings.command)
    if settings.model_dir is not None:
        from takopi.voice.local import LocalTranscriber

        return LocalTranscriber(settings.model_dir.expanduser())
    if settings.base_url:
        from takopi.voice.endpoint import EndpointTranscriber, Service

        if not settings.model:
            raise VoiceNotConfigured(
                tr("`voice.model` is empty: name a model that the service at `voice.base_url` has.")
            )
        service = Service(settings.base_url, settings.api_key, settings.model)
        return EndpointTranscriber(service, timeout_s=settings.timeout_s)
    return None
