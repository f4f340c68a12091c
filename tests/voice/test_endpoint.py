"""A service that transcribes, seen from its other end."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import anyio
import pytest
from aiohttp import web

from takopi.errors import ConfigError, TranscriptionFailed, VoiceNotConfigured
from takopi.logging import redact
from takopi.voice.choose import VoiceSettings, make_transcriber
from takopi.voice.endpoint import EndpointTranscriber, Service
from voice.notes import Impatient, note

pytestmark = pytest.mark.anyio

KEY = "sk-very-secret-0123456789abcdef"


@dataclass
class Served:
    """Be a service: it answers in order, and keeps what it was asked."""

    answers: list[Callable[[], web.StreamResponse] | None] = field(default_factory=list)
    asked: list[dict[str, str | bytes]] = field(default_factory=list)
    url: str = ""
    reached: anyio.Event = field(default_factory=anyio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        sound = form["file"]
        assert isinstance(sound, web.FileField)
        with sound.file as file:
            content = file.read()
        self.asked.append(
            {name: str(value) for name, value in form.items() if name != "file"}
            | {"name": sound.filename, "type": sound.content_type, "sound": content}
            | {"path": request.path, "key": request.headers.get("Authorization", "")}
        )
        self.reached.set()
        made = self.answers.pop(0)
        if made is None:
            await anyio.sleep_forever()
        assert made is not None
        return made()


@asynccontextmanager
async def service(*answers: Callable[[], web.StreamResponse] | None) -> AsyncIterator[Served]:
    served = Served(list(answers))
    app = web.Application(client_max_size=0)
    app.router.add_post("/v1/audio/transcriptions", served.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield served
    finally:
        await runner.cleanup()


def said(text: str = " Run the tests. ") -> Callable[[], web.StreamResponse]:
    return lambda: web.json_response({"text": text})


def refuses(
    status: int, message: object = "no", headers: dict[str, str] | None = None
) -> Callable[[], web.StreamResponse]:
    return lambda: web.json_response({"error": message}, status=status, headers=headers)


def page(status: int, **headers: str) -> Callable[[], web.StreamResponse]:
    return lambda: web.Response(status=status, text="<html>hello</html>", headers=headers)


async def failure(
    folder, *answers: Callable[[], web.StreamResponse], clock: Impatient | None = None
) -> TranscriptionFailed:
    async with service(*answers) as served:
        asks = EndpointTranscriber(Service(served.url, "tiny", KEY), clock=clock or Impatient())
        with pytest.raises(TranscriptionFailed) as caught:
            await asks.transcribe(note(folder))
        assert served.answers == []
    return caught.value


async def test_a_voice_note_is_uploaded_as_openai_documents_it(tmp_path) -> None:
    """File, model, language and key arrive; the person's own file name does not."""
    async with service(said()) as served:
        settings = VoiceSettings(base_url=served.url + "/", api_key=KEY, language="en")
        transcriber = make_transcriber(settings)
        assert transcriber is not None
        heard = await transcriber.transcribe(note(tmp_path, b"OggS" * 500_000))
    assert heard.text == "Run the tests."
    assert heard.language == "en"
    [asked] = served.asked
    assert asked.pop("sound") == b"OggS" * 500_000
    assert asked == {
        "model": "whisper-1", "language": "en", "response_format": "json", "name": "voice.ogg",
        "type": "audio/ogg", "path": "/v1/audio/transcriptions", "key": f"Bearer {KEY}",
    }  # fmt: skip


async def test_a_local_service_needs_neither_key_nor_language(tmp_path) -> None:
    async with service(said("hello")) as served:
        heard = await EndpointTranscriber(Service(served.url, "tiny")).transcribe(note(tmp_path))
    assert heard.text == "hello"
    assert heard.language is None
    assert served.asked[0]["key"] == ""
    assert "language" not in served.asked[0]


async def test_a_busy_service_is_asked_again_when_it_said(tmp_path) -> None:
    """429 and 5xx are tried again, after the wait that was asked for or a growing one."""
    clock = Impatient()
    answers = (
        refuses(429, headers={"Retry-After": "7"}),
        refuses(503, headers={"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}),
        refuses(500, headers={"Retry-After": "-3"}),
        said(),
    )
    async with service(*answers) as served:
        asks = EndpointTranscriber(Service(served.url, "tiny", KEY), clock=clock)
        assert (await asks.transcribe(note(tmp_path))).text == " Run the tests. "
    assert clock.waits == [7, 2, 4]
    assert [asked["sound"] for asked in served.asked] == [b"OggS sound"] * 4


async def test_attempts_end(tmp_path) -> None:
    """After four refusals the person hears that trying later may help."""
    error = await failure(tmp_path, *[refuses(502)] * 4)
    assert error.retry_may_help
    assert "is busy or out of order (HTTP 502): try again later. It says: no" in str(error)


async def test_a_wait_beyond_the_time_limit_is_not_begun(tmp_path) -> None:
    clock = Impatient()
    error = await failure(tmp_path, refuses(429, headers={"Retry-After": "3600"}), clock=clock)
    assert error.retry_may_help
    assert clock.waits == []


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            refuses(401, {"message": f"Wrong: {KEY}."}),
            "`voice.api_key`. It says: Wrong: [redacted]",
        ),
        (refuses(403), "refused the key (HTTP 403)"),
        (refuses(404), "or no model tiny (HTTP 404): check `voice.base_url`"),
        (page(302, Location="http://127.0.0.2/"), "HTTP 302"),
        (page(413), "too large for 127.0.0.1: send it in parts, or write the prompt."),
        (refuses(400, {"message": "bad\n file " + "x" * 999}), "the prompt. It says: bad file xxx"),
        (refuses(422, {"message": None}), "HTTP 422"),
        (page(200), "is no transcript: check `voice.base_url`"),
        (lambda: web.json_response({"words": []}), "is no transcript"),
        (lambda: web.Response(body=b'{"text": "' + b"x" * 5_000_000 + b'"}'), "is no transcript"),
        (lambda: web.Response(body=b'{"text": "\xff"}'), "is no transcript"),
    ],
)
async def test_a_refusal_says_what_to_mend(tmp_path, answer, text) -> None:
    """Nothing is tried again that cannot succeed, and the key is in no text."""
    error = await failure(tmp_path, answer)
    assert text in str(error)
    assert not error.retry_may_help
    assert KEY not in str(error)
    assert len(str(error)) < 600


async def test_a_service_that_is_not_there_is_tried_and_named(tmp_path) -> None:
    async with service() as served:
        gone = served.url
    clock = Impatient()
    with pytest.raises(TranscriptionFailed, match="could not be asked") as caught:
        await EndpointTranscriber(Service(gone, "tiny", KEY), clock=clock).transcribe(
            note(tmp_path)
        )
    assert caught.value.retry_may_help
    assert clock.waits == [1, 2, 4]


async def test_a_service_that_does_not_answer_is_given_up(tmp_path) -> None:
    async with service(None) as served:
        asks = EndpointTranscriber(Service(served.url, "tiny", KEY), timeout_s=0.2)
        with pytest.raises(TranscriptionFailed, match="no answer in time") as caught:
            await asks.transcribe(note(tmp_path))
    assert caught.value.retry_may_help


async def test_a_request_can_be_cancelled(tmp_path) -> None:
    async with service(None) as served, anyio.create_task_group() as tasks:
        tasks.start_soon(
            EndpointTranscriber(Service(served.url, "tiny")).transcribe, note(tmp_path)
        )
        await served.reached.wait()
        tasks.cancel_scope.cancel()


async def test_a_note_that_went_away_is_told(tmp_path) -> None:
    lost = replace(note(tmp_path), path=tmp_path / "gone.oga")
    with pytest.raises(TranscriptionFailed, match="send it again"):
        await EndpointTranscriber(Service("http://127.0.0.1:9/v1", "tiny")).transcribe(lost)


async def test_a_proxy_of_the_environment_is_used(tmp_path, monkeypatch) -> None:
    async with service(said()) as served:
        monkeypatch.setenv("http_proxy", served.url.removesuffix("/v1"))
        monkeypatch.setenv("no_proxy", "example.invalid")
        asks = EndpointTranscriber(Service("http://voice.test/v1", "tiny"))
        await asks.transcribe(note(tmp_path))
    assert len(served.asked) == 1
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(ConfigError, match="socks5"):
        EndpointTranscriber(Service("https://voice.test/v1", "tiny"))


@pytest.mark.parametrize("url", ["api.openai.com/v1", "ftp://a/v1", "http://", "http://a:b/", "x"])
def test_an_address_that_is_none_is_refused(url) -> None:
    with pytest.raises(VoiceNotConfigured, match="is no address of a service"):
        EndpointTranscriber(Service(url, "tiny"))


def test_a_key_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(VoiceNotConfigured, match="copy it again") as caught:
        EndpointTranscriber(Service("http://127.0.0.1/v1", "tiny", "abcdef\nX-Header: 1"))
    assert "abcdef" not in str(caught.value)


def test_the_key_is_in_no_record() -> None:
    """Logs forget it, and what holds it does not show it."""
    made = Service("https://127.0.0.1/v1", "tiny", "plain-words-as-key")
    EndpointTranscriber(made)
    assert "plain-words" not in redact(json.dumps({"key": "plain-words-as-key"}))
    assert "plain-words" not in repr(made)
