"""Ask an OpenAI-compatible service: `POST {base_url}/audio/transcriptions`.

Import this module only when it is the one that transcribes: aiohttp takes longer to import than
most commands of the CLI take to run.
"""

import io
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import anyio
import msgspec

from takopi.bridge.clock import SystemClock
from takopi.bridge.ports import Clock
from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.core.voice_notes import upload_name, upload_type, wait_s
from takopi.errors import TranscriptionFailed, VoiceError, VoiceNotConfigured
from takopi.logging import add_secrets, get_logger, redact
from takopi.network import proxy_of, tls_context
from takopi.transcription import Transcript, VoiceNote

__all__ = ["EndpointTranscriber", "Service"]

_CONNECT_TIMEOUT_S = 10
_MAX_ANSWER_BYTES = 4 * 1024 * 1024
_MAX_REASON_CHARS = 300

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """Name a service.

    Args:
        base_url: Its address, up to and with `/v1`.
        model: The model it is asked for.
        api_key: Its key, if it wants one.
    """

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)


class _Heard(msgspec.Struct):
    text: str


class _Reason(msgspec.Struct):
    message: str = ""


class _Refused(msgspec.Struct):
    error: _Reason | str


class _Answer(NamedTuple):
    """Be what a service answered; without a status it did not."""

    status: int | None
    content: bytes = b""
    retry_after_s: float | None = None
    lost: str = ""


class EndpointTranscriber:
    """Send each voice note to a service.

    The key is part of every request, and the service may repeat it in its answer: no error of
    aiohttp leaves this class, and what the service says is redacted.

    Args:
        service: Whom to ask, for what.
        timeout_s: For one voice note with all its attempts.
        clock: Tells how much of that is left.

    Raises:
        VoiceNotConfigured: The address cannot be one.
        ConfigError: The environment names a proxy that cannot be used.
    """

    def __init__(
        self, service: Service, *, timeout_s: float = 120, clock: Clock | None = None
    ) -> None:
        base = service.base_url.strip().rstrip("/")
        key = (service.api_key or "").strip()
        add_secrets([key])
        if not _is_address(base):
            raise VoiceNotConfigured(
                tr(
                    "`voice.base_url` is no address of a service: write it like "
                    "https://api.openai.com/v1."
                )
            )
        if not key.isascii() or not key.isprintable():
            raise VoiceNotConfigured(
                tr("`voice.api_key` has characters that no key has: copy it again.")
            )
        self._url = f"{base}/audio/transcriptions"
        self._host = urlsplit(base).hostname or ""
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._model = service.model
        self._tls = tls_context() if base.lower().startswith("https:") else True
        self._proxy = proxy_of(base)
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()

    async def transcribe(self, voice: VoiceNote) -> Transcript:
        """Return what the service heard.

        Raises:
            VoiceError: One of its leaves.
        """
        try:
            sound = await anyio.Path(voice.path).read_bytes()
        except OSError:
            raise TranscriptionFailed(
                tr("The voice note is not on the disk any more: send it again.")
            ) from None
        deadline = self._clock.now() + self._timeout_s
        attempt = 0
        while True:
            attempt += 1
            answer = await self._ask(voice, sound, deadline - self._clock.now())
            if not _may_change(answer.status):
                break
            left = deadline - self._clock.now()
            wait = wait_s(attempt, answer.retry_after_s, left)
            if wait is None:
                break
            _log.info("voice.again", host=self._host, status=answer.status, wait_s=wait)
            await self._clock.sleep_until(self._clock.now() + wait)
        return self._transcript(answer, voice.language)

    async def _ask(self, voice: VoiceNote, sound: bytes, left_s: float) -> _Answer:
        timeout = aiohttp.ClientTimeout(total=left_s, sock_connect=_CONNECT_TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=self._tls),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=timeout,
                ) as session,
                session.post(
                    self._url,
                    data=self._form(voice, sound),
                    headers=self._headers,
                    proxy=self._proxy,
                    allow_redirects=False,  # the key is for this address alone
                ) as response,
            ):
                content = bytearray()
                async for piece in response.content.iter_any():
                    content += piece
                    if len(content) > _MAX_ANSWER_BYTES:
                        return _Answer(response.status)
                asked_wait = _seconds(response.headers.get("Retry-After"))
                return _Answer(response.status, bytes(content), asked_wait)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            late = isinstance(error, TimeoutError)
            return _Answer(None, lost=tr("no answer in time") if late else type(error).__name__)

    def _form(self, voice: VoiceNote, sound: bytes) -> aiohttp.FormData:
        form = aiohttp.FormData({"model": self._model, "response_format": "json"})
        if voice.language:
            form.add_field("language", voice.language)
        form.add_field(
            "file",
            io.BytesIO(sound),
            filename=upload_name(voice.path.suffix, voice.mime),
            content_type=upload_type(voice.mime),
        )
        return form

    def _transcript(self, answer: _Answer, language: str | None) -> Transcript:
        if answer.status is None or not 200 <= answer.status < 300:
            raise self._failure(answer)
        try:
            return Transcript(msgspec.json.decode(answer.content, type=_Heard).text, language)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise TranscriptionFailed(
                tr(
                    "What {host} answered is no transcript: check `voice.base_url`, which ends "
                    "in /v1 as a rule.",
                    host=self._host,
                )
            ) from None

    def _failure(self, answer: _Answer) -> VoiceError:
        host, status = self._host, answer.status
        reason = _reason(answer.content)
        said = tr("It says: {reason}", reason=reason) if reason else ""
        if status is None:
            text = tr(
                "{host} could not be asked for the transcript ({why}): try again, and check "
                "`voice.base_url` and the network if this stays.",
                host=host,
                why=answer.lost,
            )
            return TranscriptionFailed(text, retry_may_help=True)
        if status in {401, 403}:
            text = tr(
                "{host} refused the key (HTTP {status}): check `voice.api_key`.",
                host=host,
                status=status,
            )
        elif status in {404, 405} or 300 <= status < 400:
            text = tr(
                "{host} has no transcription there, or no model {model} (HTTP {status}): check "
                "`voice.base_url`, which ends in /v1 as a rule, and `voice.model`.",
                host=host,
                model=self._model,
                status=status,
            )
        elif status == 413:
            text = tr(
                "The voice note is too large for {host}: send it in parts, or write the prompt.",
                host=host,
            )
        elif _may_change(status):
            text = tr(
                "{host} is busy or out of order (HTTP {status}): try again later.",
                host=host,
                status=status,
            )
        else:
            text = tr(
                "{host} refused the voice note (HTTP {status}): check `voice.model`, or write the "
                "prompt.",
                host=host,
                status=status,
            )
        return TranscriptionFailed(f"{text} {said}".strip(), retry_may_help=_may_change(status))


def _is_address(base: str) -> bool:
    try:
        parts = urlsplit(base)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        return False


def _may_change(status: int | None) -> bool:
    return status is None or status in {408, 425, 429} or status >= 500


def _seconds(header: str | None) -> float | None:
    """Read a `Retry-After`; one that is a date counts as none."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e9 else None


def _reason(content: bytes) -> str:
    """Find the words for people in an answer; a page for browsers has none."""
    try:
        refused = msgspec.json.decode(content, type=_Refused).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    message = refused if isinstance(refused, str) else refused.message
    return one_line(redact(message), _MAX_REASON_CHARS)
