"""Files come with prompts, and wait for a reply."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from bridge.file_world import PDF, PHOTO, FileWorld
from fakes.scripted_engine import until_cancelled
from takopi.bridge.records import TurnPut
from takopi.core.chat import IncomingFile, RepliedTo
from takopi.core.file_rules import MB
from takopi.errors import FileTooLarge, FloodLimited, StoreError, TransportUnavailable

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(tmp_path: Path) -> FileWorld:
    """Give a world with one directory."""
    root = tmp_path / "shop"
    root.mkdir()
    return FileWorld(root)


async def test_a_caption_is_the_prompt_and_the_file_goes_with_it(world):
    """It lies in its place before the engine starts, under a safe name."""
    async with world.on():
        hostile = IncomingFile(kind="document", file_id="d1", name="../../.plan.pdf")
        await world.sends("summarise", files=(hostile,))
        assert world.attached() == [["incoming/plan.pdf"]]
        assert [turn.request.prompt for turn in world.codex.turns] == ["summarise"]
        assert world.arrived() == {"plan.pdf": b"plan"}


async def test_the_files_of_an_album_go_together(world):
    """Whichever part has the words."""
    async with world.on():
        world.chat.feed(
            world.chat.message("", album="a", files=(PDF,)),
            world.chat.message("compare", album="a", files=(PHOTO,)),
        )
        await world.clock.advance(1)
        assert sorted(world.attached()[0]) == ["incoming/photo-9.jpg", "incoming/plan.pdf"]


async def test_a_file_without_a_word_waits_for_a_reply(world):
    """A reply to the answer, or to the file itself, takes it along; it is fetched once."""
    async with world.on():
        sent = await world.sends(files=(PDF,))
        answer = world.chat.find("Saved as incoming/plan.pdf. Reply to it with what to do.")
        assert world.codex.turns == []
        await world.sends("summarise", reply_to=answer.message_id)
        assert world.attached() == [["incoming/plan.pdf"]]
        reply = RepliedTo(sent.message_id, files=(PDF,))
        await world.sends("/claude and translate", reply=reply)
        (turn,) = world.claude.turns
        assert [path.name for path in turn.request.attachments] == ["plan.pdf"]
        assert world.fetches == ["d1"]


async def test_an_album_without_a_word_is_kept_whole(world):
    """Once no part can come any more."""
    async with world.on():
        world.chat.feed(
            world.chat.message("", album="a", files=(PDF,)),
            world.chat.message("", album="a", files=(PHOTO,)),
        )
        await world.clock.advance(1)
        words = "Saved as incoming/plan.pdf, incoming/photo-9.jpg. Reply to one of them"
        answer = world.chat.find(words)
        await world.sends("compare", reply_to=answer.message_id)
        assert world.attached() == [["incoming/plan.pdf", "incoming/photo-9.jpg"]]


@pytest.mark.parametrize("to_bot", [True, False])
async def test_an_album_without_a_word_in_a_group_is_kept_when_it_answers(world, to_bot):
    """Any other one is for people."""
    async with world.on():
        said = await world.sends("hello", kind="group")
        await world.clock.advance(5)
        reply = RepliedTo(said.message_id, from_this_bot=to_bot)
        world.chat.feed(
            world.chat.message("", album="a", files=(PDF,), kind="group", reply=reply),
            world.chat.message("", album="a", files=(PHOTO,), kind="group", reply=reply),
        )
        await world.clock.advance(1)
        kept = {"photo-9.jpg": b"photo", "plan.pdf": b"plan"}
        assert world.arrived() == (kept if to_bot else {})
        assert world.chat.has("Saved as incoming/plan.pdf, incoming/photo-9.jpg") == to_bot


async def test_a_reply_to_an_older_file_takes_it_along(world):
    """Also when takopi has never heard of it; a reply to a turn takes nothing twice."""
    async with world.on():
        await world.sends("summarise", reply=RepliedTo(7, files=(PDF,)))
        assert world.attached() == [["incoming/plan.pdf"]]
        await world.clock.advance(5)
        prompt = world.codex.turns[0].request.record["message_id"]
        await world.sends("go on", reply=RepliedTo(prompt, files=(PDF,)))
        await world.clock.advance(5)
        assert world.attached() == [["incoming/plan.pdf"], []]
        assert world.codex.turns[1].request.resume == world.codex.turns[0].session


async def test_a_file_that_answers_a_turn_goes_on_with_it(world):
    """The agent may have asked for it; it needs no words."""
    async with world.on():
        await world.sends("draw a plan")
        await world.clock.advance(5)
        final = world.chat.find("✓ done")
        await world.sends("", reply_to=final.message_id, files=(PDF,))
        first, second = world.codex.turns
        assert second.request.resume == first.session
        assert (second.request.prompt, world.attached()[1]) == (
            "Here is the file.",
            ["incoming/plan.pdf"],
        )


async def test_a_voice_note_is_no_file_unless_it_has_a_caption(world):
    """Without one it is words for whoever writes it down."""
    voice = IncomingFile(kind="voice", file_id="d1", name="voice-3.ogg")
    async with world.on():
        assert "Saved as" not in await world.says("", files=(voice,))
        assert world.codex.turns == []
        await world.sends("what is said there?", files=(voice,))
        assert world.attached() == [["incoming/voice-3.ogg"]]


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ({"size": 20 * MB + 1}, "plan.pdf has 21 MB, and at most 20 MB are taken"),
        ({"name": "id_ed25519"}, "looks like a secret"),
    ],
)
@pytest.mark.parametrize("text", ["summarise", ""])
async def test_what_is_not_taken_is_refused_at_once(world, file, why, text):
    """Nothing is fetched and nothing starts."""
    sent = IncomingFile(**{"kind": "document", "file_id": "d1", "name": "plan.pdf", **file})
    async with world.on():
        assert why in await world.says(text, files=(sent,))
        assert (world.codex.turns, world.fetches) == ([], [])


async def test_files_can_be_switched_off(tmp_path):
    """Then a file is refused with the key that switches them on, and so is the command."""
    world = FileWorld(tmp_path, enabled=False)
    async with world.on():
        assert "files.enabled = true" in await world.says("summarise", files=(PDF,))
        assert "switched off" in await world.says("/file get a.txt")


async def test_a_service_that_fails_is_asked_again(world):
    """A moment later; the prompt waits meanwhile."""
    world.failures = [TransportUnavailable("down"), FloodLimited(9)]
    async with world.on():
        await world.sends("summarise", files=(PDF,))
        assert world.codex.turns == []
        await world.clock.advance(1)
        await world.clock.advance(9)
        assert world.attached() == [["incoming/plan.pdf"]]
        assert world.fetches == ["d1"] * 3


async def test_a_file_that_is_not_to_be_had_costs_the_turn_and_not_the_prompt(world):
    """The final says why nothing was started, and a button asks again, with the file."""
    world.failures = [FileTooLarge("the file is larger than 20 MB, which is the limit")]
    async with world.on():
        await world.sends("summarise", files=(PDF,))
        await world.clock.advance(5)
        final = world.chat.find("could not be had, so nothing was started")
        assert "larger than 20 MB" in final.text
        assert (world.codex.turns, world.arrived()) == ([], {})
        (button,) = [button for row in final.message.buttons for button in row]
        assert button.label == "Ask again"
        world.chat.press(button.data, on=final.message_id)
        await world.clock.advance(1)
        assert world.attached() == [["incoming/plan.pdf"]]


async def test_who_asks_again_gets_no_file_that_came_meanwhile(world):
    """Not in a later life either, which knows nothing of places that were promised."""
    world.failures = [FileTooLarge("the file is larger than 20 MB, which is the limit")]
    async with world.on():
        await world.sends("summarise", files=(PDF,))
        await world.clock.advance(5)
        final = world.chat.find("could not be had, so nothing was started")
    again = FileWorld(world.root, world.store)
    again.content["d2"] = b"other"
    for _ in range(50):  # those of the first life are taken
        again.chat.number()
        again._new_id()
    async with again.on():
        await again.sends("/claude translate", files=(replace(PDF, file_id="d2"),))
        again.chat.press(final.message.buttons[0][0].data, on=final.message_id)
        await again.clock.advance(5)
        (turn,) = again.codex.turns
        assert [path.read_bytes() for path in turn.request.attachments] == [b"plan"]


async def test_a_turn_can_be_cancelled_while_its_file_is_fetched(world):
    """Nothing starts then, and nothing of the file stays."""
    world.held = {"d1"}
    async with world.on():
        await world.sends("summarise", files=(PDF,))
        assert world.fetches == ["d1"]
        await world.sends("/cancel")
        await world.clock.advance(5)
        assert any(text.startswith("■ cancelled") for text in world.chat.texts())
        assert (world.codex.turns, world.arrived()) == ([], {})


@pytest.mark.parametrize("slow", ["d1", "d2", ""])
async def test_files_of_one_name_stay_apart_however_they_come(world, slow):
    """Two prompts at once have their own files; neither gets the other's, nor costs it one."""
    world.content["d2"] = b"other"
    world.held = {slow}
    async with world.on():
        world.chat.write("summarise", files=(PDF,))
        world.chat.write("/claude translate", files=(replace(PDF, file_id="d2"),))
        await world.clock.advance(1)
        got = {
            turn.request.prompt: turn.request.attachments[0].read_bytes()
            for engine in (world.codex, world.claude)
            for turn in engine.turns
        }
        wanted = {"summarise": ("d1", b"plan"), "translate": ("d2", b"other")}
        assert got == {name: what for name, (file, what) in wanted.items() if file != slow}


async def test_a_crash_while_files_are_fetched_doubles_none(world):
    """What is there is not fetched again, what is missing comes into the place it was given."""
    world.held = {"p1"}
    async with world.on():
        await world.sends("compare", files=(PDF, PHOTO))
        assert world.fetches == ["d1", "p1"]
    (record,) = (await world.store.load()).turns
    assert (record.state, record.run_id, record.started_at) == ("queued", None, None)
    again = FileWorld(world.root, world.store)
    async with again.on():
        await again.clock.advance(1)
        assert again.fetches == ["p1"]
        assert again.attached() == [["incoming/plan.pdf", "incoming/photo-9.jpg"]]
        assert again.arrived() == {"plan.pdf": b"plan", "photo-9.jpg": b"photo"}


async def test_after_a_crash_a_place_stays_with_the_prompt_that_it_was_given_to(world):
    """Also where an older prompt, which waited, now comes first with a file of the same name."""
    world.content["d2"] = b"other"
    world.held = {"d1"}
    world.codex.default = until_cancelled
    async with world.on():
        await world.sends("work")
        progress = world.chat.find("codex").message_id
        await world.sends("translate", files=(replace(PDF, file_id="d2"),), reply_to=progress)
        await world.sends("/claude summarise", files=(PDF,))
        assert world.fetches == ["d1"]
    again = FileWorld(world.root, world.store, max_runs=1)
    again.content["d2"] = b"other"
    async with again.on():
        await again.clock.advance(1)
        (translate,), (summarise,) = again.codex.turns, again.claude.turns
        assert [path.read_bytes() for path in translate.request.attachments] == [b"other"]
        assert [path.read_bytes() for path in summarise.request.attachments] == [b"plan"]


async def test_a_crash_while_a_file_is_kept_doubles_none(world):
    """The next start fetches it into the place that it was given, and answers once."""
    world.held = {"d1"}
    async with world.on():
        await world.sends(files=(PDF,))
        assert world.fetches == ["d1"]
    (update,) = (await world.store.load()).updates
    (world.root / "incoming/plan.pdf").write_bytes(b"plan")  # it came just before the crash
    again = FileWorld(world.root, world.store)
    async with again.on():
        await again.clock.advance(1)
        assert again.fetches == []
        assert again.chat.texts() == ["Saved as incoming/plan.pdf. Reply to it with what to do."]
    assert update.update.files == (PDF,)
    assert (await world.store.load()).updates == ()


async def test_a_file_that_cannot_be_kept_is_told(world):
    """It is not tried for ever: the person sends it again."""
    world.failures = [FileTooLarge("the file is larger than 20 MB, which is the limit")]
    async with world.on():
        answer = await world.says("", files=(PDF,))
        assert answer == (
            "Not saved: the file is larger than 20 MB, which is the limit. Send it again."
        )
    assert (await world.store.load()).updates == ()


async def test_a_journal_that_refuses_the_places_starts_nothing(world):
    """Before anything is fetched."""
    commit = world.store.commit

    async def refuses(changes):
        if any(isinstance(one, TurnPut) and one.turn.files[0].path for one in changes):
            raise StoreError("the disk is full")
        await commit(changes)

    world.store.commit = refuses
    async with world.on():
        await world.sends("summarise", files=(PDF,))
        assert (world.codex.turns, world.fetches) == ([], [])
