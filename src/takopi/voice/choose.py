"""Choose who transcribes, by what the person has set up."""

from takopi.core.voice_notes import VoiceLimits
from takopi.settings import VoiceSettings
from takopi.transcription import Transcriber
from takopi.voice.guarded import GuardedTranscriber

__all__ = ["VoiceLimits", "VoiceSettings", "make_transcriber"]

_MODEL = "whisper-1"
"""What a service is asked for when no model is named; OpenAI and most local services know it."""


def make_transcriber(
    settings: VoiceSettings, limits: VoiceLimits | None = None
) -> Transcriber | None:
    """Return the transcriber that is set up, or None when there is none.

    When several are, the one that leaves the least to others wins: `command`, then `model_dir`,
    then `base_url`. Nothing is started, loaded or connected here.

    Args:
        settings: What stands under `[voice]`.
        limits: Which voice notes are taken.

    Raises:
        VoiceNotConfigured: A value cannot be used.
        ConfigError: The environment names a proxy that cannot be used.
    """
    chosen = _chosen(settings)
    if chosen is None:
        return None
    return GuardedTranscriber(
        chosen, limits or VoiceLimits(), language=settings.language, timeout_s=settings.timeout_s
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

        service = Service(settings.base_url, settings.model or _MODEL, settings.api_key)
        return EndpointTranscriber(service, timeout_s=settings.timeout_s)
    return None
