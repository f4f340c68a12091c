"""Voice notes become prompts: their words are shown, and read like any others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from bridge.world import World
from fakes.clock import settle
from takopi.bridge.memory_store import MemoryStore
from takopi.core.access import access_policy
from takopi.core.chat import IncomingFile, MessageReceived, RepliedTo
from takopi.core.chat_settings import ChatSettings
from takopi.errors import TranscriptionFailed, TransportUnavailable, VoiceError
from takopi.transcription import Transcript, VoiceNote

pytestmark = pytest.mark.anyio

NOTE = IncomingFile(kind="voice", file_id="v1", name="voice.oga", mime="audio/ogg")


class Ears:
    """Hear what the test says, when it says so."""

    def __init__(self, words: str = "fix the tests") -> None:
        self.words: str | VoiceError = words
        self.heard: list[bytes] = []
        self.may_go_on = anyio.Event()
        self.may_go_on.set()

    async def transcribe(self, voice: VoiceNote) -> Transcript:
        """Wait until the test lets it."""
        self.heard.append(await anyio.Path(voice.path).read_bytes())
        await self.may_go_on.wait()
        if isinstance(self.words, VoiceError):
            raise self.words
        return Transcript(self.words)


@asynccontextmanager
async def hearing(ears: Ears | None, **more: Any) -> AsyncIterator[World]:
    """Run a bridge that hears."""
    access = access_policy(chat_id=1, allowed_chat_ids=(-7,), allowed_user_ids=(1,))
    options = {"access": access, **more.pop("options", {})}
    world = World(options=options, transcriber=ears, **more)
    world.chat.contents["v1"] = b"spoken"
    async with anyio.create_task_group() as group:
        group.start_soon(world.bridge.run)
        await settle()
        yield world
        group.cancel_scope.cancel()


async def heard(world: World) -> None:
    """Wait until files were read and nothing happens any more."""
    await settle()
    await world.clock.advance(5)


def prompts(world: World) -> list[str]:
    """List what engines were asked."""
    return [turn.request.prompt for turn in (*world.codex.turns, *world.claude.turns)]


@pytest.mark.parametrize(
    ("words", "engine"), [("fix the tests", "codex"), ("/claude fix the tests", "claude")]
)
async def test_a_voice_note_is_shown_as_words_and_asked(words, engine) -> None:
    ears = Ears(words)
    async with hearing(ears) as world:
        note = world.chat.write("", files=(NOTE,))
        await heard(world)
        assert ears.heard == [b"spoken"]
        shown = world.chat.find(f"🎙 {words}")
        assert shown.options is not None
        assert shown.options.reply_to is not None
        assert shown.options.reply_to.message_id == note.message_id
        assert prompts(world) == ["fix the tests"]
        assert getattr(world, engine).turns


async def test_others_do_not_wait_for_a_voice_note() -> None:
    ears = Ears()
    ears.may_go_on = anyio.Event()
    async with hearing(ears) as world:
        world.chat.write("", files=(NOTE,))
        await heard(world)
        world.chat.write("at once")
        await heard(world)
        assert prompts(world) == ["at once"]
        ears.may_go_on.set()
        await heard(world)
        assert prompts(world) == ["at once", "fix the tests"]


async def test_a_note_that_was_under_way_is_heard_again_after_a_crash() -> None:
    """Its update is not handled before its words are."""
    store, deaf = MemoryStore(), Ears()
    deaf.may_go_on = anyio.Event()
    async with hearing(deaf, store=store) as world:
        world.chat.write("", files=(NOTE,))
        await heard(world)
    async with hearing(Ears(), store=store) as world:
        await heard(world)
        assert prompts(world) == ["fix the tests"]
        assert (await store.load()).updates == ()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (None, "Voice notes are not set up here"),
        (TranscriptionFailed("nothing was said; record it again"), "nothing was said; record it"),
    ],
)
async def test_a_note_without_words_is_answered_and_over(wrong, words) -> None:
    ears = None
    if wrong is not None:
        ears = Ears()
        ears.words = wrong
    async with hearing(ears) as world:
        world.chat.write("", files=(NOTE,))
        await heard(world)
        assert words in world.chat.texts()[-1]
        assert prompts(world) == []
        assert (await world.store.load()).updates == ()


async def test_a_note_is_fetched_again_when_the_service_is_away() -> None:
    async with hearing(Ears()) as world:
        world.chat.unreachable = [TransportUnavailable("away"), TransportUnavailable("away")]
        world.chat.write("", files=(NOTE,))
        for _ in range(4):
            await heard(world)
        assert prompts(world) == ["fix the tests"]


async def test_cancel_stops_a_note_that_has_no_words_yet() -> None:
    ears = Ears()
    ears.may_go_on = anyio.Event()
    async with hearing(ears) as world:
        world.chat.write("", files=(NOTE,))
        await heard(world)
        world.chat.write("/cancel all")
        await heard(world)
        ears.may_go_on.set()
        await heard(world)
        assert prompts(world) == []
        assert any("dropped" in text for text in world.chat.texts())
        assert (await world.store.load()).updates == ()


async def test_strangers_are_not_heard() -> None:
    ears = Ears()
    async with hearing(ears) as world:
        world.chat.write("", files=(NOTE,), person=666)
        await heard(world)
        assert ears.heard == []
        assert world.sent("send", "edit") == []


async def test_in_a_group_that_is_only_mentioned_only_replies_are_heard() -> None:
    ears = Ears()
    async with hearing(ears, options={"chats": ChatSettings(trigger="mentions")}) as world:
        world.chat.write("", files=(NOTE,), chat=-7, kind="group")
        await heard(world)
        assert ears.heard == []
        reply = RepliedTo(5, "✓ done", from_this_bot=True)
        update = world.chat.write("", files=(NOTE,), chat=-7, kind="group", reply=reply)
        assert isinstance(update, MessageReceived)
        await heard(world)
        assert prompts(world) == ["fix the tests"]
