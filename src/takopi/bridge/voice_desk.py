"""Voice notes on their way to words: each is fetched and transcribed beside everything else.

The update stays unhandled in the journal until its words are read like any other message, so a
takopi that ends meanwhile hears the note again when it starts.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import TaskGroup
from msgspec.structs import replace

from takopi.bridge.answers import Answers, destination_of, marks
from takopi.bridge.border import border
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import Clock, Transport
from takopi.bridge.records import AcceptedUpdate
from takopi.core.chat import ChatMessage, IncomingFile, MessageReceived
from takopi.core.replies import message
from takopi.core.richtext import RichText
from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.errors import (
    FileTooLarge,
    FloodLimited,
    TransportError,
    TransportUnavailable,
    VoiceError,
)
from takopi.transcription import Transcriber, VoiceNote, voice_not_configured

__all__ = ["VoiceDesk", "VoicePorts", "is_voice_prompt"]

# What Telegram hands out at most; a transcriber has limits of its own.
MAX_BYTES = 20 * 2**20
_PAUSES_S = (1.0, 4.0, 15.0)
_SHOWN_UNITS = 3_500


@dataclass(frozen=True, slots=True)
class VoicePorts:
    """Bind what voice notes need.

    Args:
        transport: Has them.
        transcriber: Turns them into words; None when nothing does.
        outbox: Shows the words.
        answers: Says what went wrong.
        clock: Tells when to try again.
        group: Each note is worked on in it.
    """

    transport: Transport
    transcriber: Transcriber | None
    outbox: Outbox
    answers: Answers
    clock: Clock
    group: TaskGroup


def is_voice_prompt(update: object) -> bool:
    """Tell whether an update is a voice note and nothing else."""
    if not isinstance(update, MessageReceived) or update.text.strip() or update.album:
        return False
    return len(update.files) == 1 and update.files[0].kind == "voice"


class VoiceDesk:
    """Turn voice notes into messages.

    Args:
        ports: What voice notes need.
        take: Handles a message once it has words.
    """

    def __init__(
        self, ports: VoicePorts, take: Callable[[Sequence[AcceptedUpdate]], Awaitable[None]]
    ) -> None:
        self._ports = ports
        self._take = take
        self._under_way: dict[int, AcceptedUpdate] = {}

    def under_way(self) -> tuple[AcceptedUpdate, ...]:
        """List the notes that have no words yet."""
        return tuple(self._under_way.values())

    def drop(self, accepted: AcceptedUpdate) -> None:
        """Forget a note: somebody cancelled it and marked it."""
        self._under_way.pop(accepted.id, None)

    def begin(self, accepted: AcceptedUpdate) -> None:
        """Begin to work on a note; twice is once."""
        if accepted.id not in self._under_way:
            self._under_way[accepted.id] = accepted
            self._ports.group.start_soon(self._work, accepted)

    async def _work(self, accepted: AcceptedUpdate) -> None:
        update = accepted.update
        assert isinstance(update, MessageReceived), "only messages carry voice notes"
        words = ""
        with border("transcribing a voice note", update=update.update_id) as found:
            try:
                words = await self._words(update.files[0])
            except (VoiceError, TransportError) as error:
                await self._refuse(accepted, str(error))
                return
        if found.error is not None:
            await self._refuse(accepted, found.error)
            return
        if self._under_way.pop(accepted.id, None) is None:
            return
        with border("showing what was said", update=update.update_id):
            destination = destination_of(update, update.message_id)
            await self._ports.outbox.say(destination, _heard(words), notify=False)
        await self._take([replace(accepted, update=replace(update, text=words, files=()))])

    async def _words(self, file: IncomingFile) -> str:
        ports = self._ports
        if ports.transcriber is None:
            raise voice_not_configured()
        async with anyio.TemporaryDirectory(prefix="takopi-voice-") as folder:
            # What the sender called it is left out: the name reaches a command line.
            path = Path(folder) / "voice.ogg"
            await self._fetch(file, path)
            heard = await ports.transcriber.transcribe(VoiceNote(path, file.mime))
        return heard.text

    async def _fetch(self, file: IncomingFile, path: Path) -> None:
        for pause_s in (*_PAUSES_S, None):
            try:
                with path.open("wb") as into:
                    await self._ports.transport.fetch(file, into, MAX_BYTES)
            except FileTooLarge:
                raise
            except (TransportUnavailable, FloodLimited) as error:
                if pause_s is None:
                    raise
                wait_s = error.retry_after_s if isinstance(error, FloodLimited) else pause_s
                await self._ports.clock.sleep_until(self._ports.clock.now() + wait_s)
            else:
                return

    async def _refuse(self, accepted: AcceptedUpdate, why: str) -> None:
        """Say that a note has no words; it is handled with that."""
        if self._under_way.pop(accepted.id, None) is None:
            return
        update = accepted.update
        text = tr("This voice note was not understood: {why}", why=one_line(why, 600))
        with border("answering a voice note"):
            destination = destination_of(update, getattr(update, "message_id", None))
            answer = message(text)
            await self._ports.answers.give(destination, answer, marks((accepted,)))


def _heard(words: str) -> ChatMessage:
    shown = words if len(words) <= _SHOWN_UNITS else f"{words[:_SHOWN_UNITS]}…"
    return ChatMessage(RichText(f"🎙 {shown}"))
