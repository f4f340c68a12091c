"""/file puts files into projects and sends them, as do buttons under answers that name files."""

import io
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from bridge.file_world import PDF, PHOTO, FileWorld
from fakes.clock import settle
from fakes.transport import Shown
from takopi.bridge.records import TurnPut, TurnRecord
from takopi.core.chat import Button, IncomingFile, RepliedTo, Scope
from takopi.core.file_rules import MB
from takopi.core.projects import Project, Projects
from takopi.errors import ChatLost, FileTooLarge

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(tmp_path: Path) -> FileWorld:
    """Give a world with one directory."""
    root = tmp_path / "shop"
    root.mkdir()
    return FileWorld(root)


async def test_a_file_of_the_project_is_sent(world):
    """And a folder as a zip file; as often as it is asked for."""
    (world.root / "src").mkdir()
    (world.root / "src/main.py").write_bytes(b"print(1)")
    async with world.on():
        for _ in range(2):
            await world.sends("/file get src/main.py")
            document = world.sent("document")[-1].document
            assert (document.filename, document.content) == ("main.py", b"print(1)")
        await world.sends("/file get src")
        document = world.sent("document")[-1].document
        with zipfile.ZipFile(io.BytesIO(document.content)) as archive:
            assert (document.filename, archive.namelist()) == ("src.zip", ["main.py"])


@pytest.mark.parametrize("name", ["../shop/a", ".env", "/etc/passwd", "link/x", "none", ".git/x"])
async def test_what_is_not_given_out_is_refused_with_its_reason(world, name):
    """Nothing is sent, and the answer names what was asked for."""
    (world.root / ".env").write_text("SECRET")
    (world.root / "link").symlink_to("/etc")
    async with world.on():
        answer = await world.says(f"/file get {name}")
        assert answer.startswith(f"Not taken: the file {name} is refused")
        assert world.sent("document") == []


async def test_a_file_that_the_chat_does_not_take_is_told(world):
    """And nothing of the copy stays."""
    (world.root / "big.bin").write_bytes(b"x" * (2 * MB))
    world.chat.fault = lambda call: ChatLost("no files here") if call.document else None
    async with world.on():
        await world.sends("/file get big.bin")
        await world.clock.advance(5)
        assert world.chat.texts()[-1] == "big.bin was not sent: the chat did not take it."
    assert list((world.root.parent / "home").iterdir()) == []


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("/file put docs/new.pdf", "docs/new.pdf"),
        ("/file put docs/", "docs/plan.pdf"),
        ("/file put there", "there/plan.pdf"),
        ("/file put", "incoming/plan.pdf"),
    ],
)
@pytest.mark.parametrize("as_reply", [False, True])
async def test_a_file_is_put_where_it_belongs(world, command, place, as_reply):
    """As the caption of the file, or as a reply to it."""
    (world.root / "there").mkdir()
    how = {"reply": RepliedTo(7, files=(PDF,))} if as_reply else {"files": (PDF,)}
    async with world.on():
        assert await world.says(command, **how) == f"Saved as {place}"
        assert (world.root / place).read_bytes() == b"plan"
        assert world.codex.turns == []


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("kind", ["private", "group"])
@pytest.mark.parametrize("at_once", [True, False])
async def test_the_files_of_an_album_are_put_together(world, place, kind, at_once):
    """Whichever of them has the command; its parts may come in several answers of the service."""
    words = ["", ""]
    words[place] = "/file put docs/"
    async with world.on():
        parts = [
            world.chat.message(said, album="a", files=(file,), kind=kind)
            for said, file in zip(words, (PDF, PHOTO), strict=True)
        ]
        for batch in [parts] if at_once else [[part] for part in parts]:
            world.chat.feed(*batch)
            await settle()
            await world.clock.advance(0.2)
        await world.clock.advance(5)
        docs = world.root / "docs"
        assert sorted(path.read_bytes() for path in docs.iterdir()) == [b"photo", b"plan"]
        assert world.chat.texts() == ["Saved as docs/plan.pdf, docs/photo-9.jpg"]
    assert (world.arrived(), world.codex.turns) == ({}, [])


async def test_an_album_can_be_a_command_and_a_prompt(world):
    """A part with other words is a prompt of its own, and takes nothing from the command."""
    async with world.on():
        world.chat.feed(
            world.chat.message("/file put docs/", album="a", files=(PDF,)),
            world.chat.message("look", album="a", files=(PHOTO,)),
        )
        await settle()
        await world.clock.advance(5)
        assert (world.root / "docs/plan.pdf").read_bytes() == b"plan"
        assert world.attached() == [["incoming/photo-9.jpg"]]


async def test_a_file_that_is_there_is_replaced_on_demand_alone(world):
    """Nothing is overwritten by mistake."""
    (world.root / "a.pdf").write_bytes(b"old")
    async with world.on():
        answer = await world.says("/file put a.pdf", files=(PDF,))
        assert "/file put --replace replaces it" in answer
        assert (world.root / "a.pdf").read_bytes() == b"old"
        await world.says("/file put --replace a.pdf", files=(PDF,))
        assert (world.root / "a.pdf").read_bytes() == b"plan"


@pytest.mark.parametrize("path", ["../a.pdf", "/etc/a.pdf", ".git/hooks/x", ".env", "link/a.pdf"])
async def test_nothing_is_put_where_it_does_not_belong(world, path):
    """Not outside of the project, not over a link, and not into what is kept private."""
    (world.root / "link").symlink_to(world.root.parent)
    async with world.on():
        assert "is refused" in await world.says(f"/file put {path}", files=(PDF,))
    assert sorted(path.name for path in world.root.parent.rglob("*.pdf")) == []


async def test_a_file_that_waits_for_a_reply_can_be_put(world):
    """By a reply to takopi's answer, which carries no file itself."""
    async with world.on():
        await world.sends(files=(PDF,))
        answer = world.chat.find("Saved as incoming/plan.pdf")
        await world.sends("/file put docs/", reply_to=answer.message_id)
        assert (world.root / "docs/plan.pdf").read_bytes() == b"plan"


async def test_a_file_that_went_with_a_prompt_can_be_put_too(world):
    """A reply to the prompt means its file, though it is a reply to a turn as well."""
    async with world.on():
        prompt = await world.sends("summarise", files=(PDF,))
        await world.clock.advance(5)
        reply = RepliedTo(prompt.message_id, files=(PDF,))
        assert await world.says("/file put docs/", reply=reply) == "Saved as docs/plan.pdf"


async def test_what_fails_on_the_way_is_told(world):
    """A file that is not to be had, and one whose folder cannot be made."""
    (world.root / "taken").write_bytes(b"a file")
    async with world.on():
        world.failures = [FileTooLarge("the file is larger than 20 MB, which is the limit")]
        assert "larger than 20 MB" in await world.says("/file put a.pdf", files=(PDF,))
        assert "a link or a file stands" in await world.says("/file put taken/a", files=(PDF,))
        assert sorted(path.name for path in world.root.iterdir()) == ["taken"]


@pytest.mark.parametrize("command", ["/file", "/file put", "/file get", "/file delete x"])
async def test_a_command_that_lacks_something_is_explained(world, command):
    """With an example of each way."""
    async with world.on():
        assert "/file get src/main.py" in await world.says(command)


async def test_a_file_that_is_too_large_is_not_put(world):
    """Its size is known before it is fetched."""
    large = IncomingFile(kind="document", file_id="d1", name="a.bin", size=21 * MB)
    async with world.on():
        assert "at most 20 MB" in await world.says("/file put a.bin", files=(large,))
        assert world.fetches == []


async def test_files_belong_to_the_project_that_is_meant(tmp_path):
    """Of a directive, of the turn that is replied to, or of the place."""
    shop, work = tmp_path / "shop", tmp_path / "work"
    for root in (shop, work):
        root.mkdir()
        (root / "name.txt").write_text(root.name)
    world = FileWorld(work, projects=Projects((Project("shop", shop),)))
    async with world.on():
        await world.sends("/shop look", files=(PDF,))
        await world.clock.advance(5)
        assert (shop / "incoming/plan.pdf").read_bytes() == b"plan"
        final = world.chat.find("✓ done")
        await world.sends("/file get name.txt", reply_to=final.message_id)
        await world.sends("/file get name.txt")
        contents = [call.document.content for call in world.sent("document")]
        assert contents == [b"shop", b"work"]
        await world.sends("", files=(PDF,))
        assert (work / "incoming/plan.pdf").read_bytes() == b"plan"
        kept = world.chat.find("Saved as incoming/plan.pdf")
        await world.sends("/shop compare", reply_to=kept.message_id)
        (path,) = world.codex.turns[-1].request.attachments
        assert path == work / "incoming/plan.pdf"
        assert not (shop / "incoming/plan-2.pdf").exists()


# What an agent sends back.


async def answering(world: FileWorld, answer: str) -> Shown:
    """Let codex answer, and return the final."""

    async def script(turn):
        yield turn.started()
        yield turn.answer(answer)

    world.codex.default = script
    await world.sends("draw it")
    await world.clock.advance(5)
    return world.chat.find("✓ done")


def buttons_of(shown: Shown) -> list[Button]:
    return [button for row in shown.message.buttons for button in row]


async def test_files_that_an_answer_names_have_buttons(world):
    """The first three that are there; a press sends one, as often as somebody wants it."""
    (world.root / "out").mkdir()
    for name in ("plot.png", "a.pdf", "b.pdf", "c.pdf"):
        (world.root / "out" / name).write_bytes(b"x")
    async with world.on():
        names = "`none.png` `out/plot.png` out/a.pdf `.env` [b](out/b.pdf) out/c.pdf"
        final = await answering(world, f"I made {names}")
        buttons = buttons_of(final)
        assert [button.label for button in buttons] == [
            "Send plot.png",
            "Send a.pdf",
            "Send b.pdf",
        ]
        for button in (buttons[0], buttons[0], buttons[2]):
            world.chat.press(button.data, on=final.message_id)
            await settle()
        sent = [call.document for call in world.sent("document")]
        assert [document.filename for document in sent] == ["plot.png", "plot.png", "b.pdf"]
        assert [document.photo for document in sent] == [True, True, False]
        assert "Sending plot.png" in world.sent("answer")[0].text


async def test_what_the_person_sent_gets_no_button(world):
    """Nor does a final without files, nor one that failed."""
    async with world.on():
        await world.sends("look", files=(PDF,))
        final = await answering(world, "I read `incoming/plan.pdf`")
        assert buttons_of(final) == []


async def test_a_button_of_a_file_that_is_gone_says_so(world):
    """And nothing is sent; a link in its place leads nowhere."""
    plot = world.root / "plot.png"
    plot.write_bytes(b"x")
    async with world.on():
        final = await answering(world, "see plot.png")
        (button,) = buttons_of(final)
        plot.unlink()
        plot.symlink_to("/etc/hostname")
        world.chat.press(button.data, on=final.message_id)
        await settle()
        assert "plot.png is refused" in world.chat.texts()[-1]
        assert world.sent("document") == []


@pytest.mark.parametrize("rest", [":t1:7", ":t9:0", ":t1:-1", "", ":t1"])
async def test_button_data_that_was_made_up_does_nothing(world, rest):
    """Only what a final named is sent, and only in its own chat."""
    (world.root / "plot.png").write_bytes(b"x")
    async with world.on():
        await answering(world, "see plot.png")
        world.chat.press(f"x:file{rest}")
        await settle()
        assert "does nothing any more" in world.sent("answer")[-1].text
        assert world.sent("document") == []


async def test_a_button_counts_in_its_own_chat(tmp_path):
    """Data can be forged, chats are checked."""
    world = FileWorld(tmp_path)
    record = TurnRecord(
        turn_id="t7", scope=Scope("memory", 2), engine="codex", cwd="/etc", sendable=("hosts.txt",)
    )
    await world.store.commit([TurnPut(replace(record, state="done", outcome="done"))])
    async with world.on():
        world.chat.press("x:file:t7:0")
        await settle()
        assert "does nothing any more" in world.sent("answer")[-1].text
