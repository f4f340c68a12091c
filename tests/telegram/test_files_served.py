"""Files through a whole bot: from Telegram to the engine and back."""

# ruff: noqa: ASYNC240 - a test looks at a file in between, and nobody waits for it

from pathlib import Path

import pytest

from fakes.telegram_api import Message
from fakes.telegram_api.people import PICTURE
from takopi.core.file_rules import FileRules
from takopi.files.project_files import LocalFiles
from telegram.served import served

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


def says(words: str):
    return lambda message: words in message.text


@pytest.mark.long
async def test_files_go_both_ways(api, tmp_path):
    """A caption, an album, a file that waits for a reply, a button, and the command."""
    root = tmp_path / "shop"
    root.mkdir()
    me = api.owner

    async def script(turn):
        yield turn.started()
        (root / "plot.png").write_bytes(PICTURE + b"plot")
        names = ", ".join(path.name for path in turn.request.attachments)
        yield turn.answer(f"read {names}; see `plot.png`")

    files = LocalFiles(FileRules(), tmp_path / "outgoing")
    async with served(api, files=files, work_dir=root) as bot:
        bot.codex.default = script
        me.send_file("plan.pdf", b"plan", "summarise")
        final = await api.wait_message(says("read plan.pdf; see plot.png"))
        assert (root / "incoming/plan.pdf").read_bytes() == b"plan"

        press = me.press(final, "Send plot.png")
        picture = await api.wait_message(lambda message: message.picture is not None)
        assert picture.picture.content == PICTURE + b"plot"
        assert api.world.presses[press]

        me.album(["compare", ""])
        await api.wait_message(lambda message: _names(message) == 2)
        contents = sorted(path.read_bytes() for path in (root / "incoming").glob("photo-*"))
        assert contents == [PICTURE + b"0", PICTURE + b"1"]

        sent = me.send_photo(PICTURE + b"mine")
        answer = await api.wait_message(says("Reply to it with what to do"))
        assert f"incoming/photo-{sent.id}.jpg" in answer.text
        me.say("what is this?", reply_to=answer)
        await api.wait_message(says(f"read photo-{sent.id}.jpg"))

        me.say("/file get incoming/plan.pdf")
        got = await api.wait_message(lambda message: message.document is not None)
        assert (got.document.name, got.document.content) == ("plan.pdf", b"plan")

        me.send_file("main.py", b"print(1)", "/file put src/")
        await api.wait_message(says("Saved as src/main.py"))
        assert Path(root / "src/main.py").read_bytes() == b"print(1)"


def _names(message: Message) -> int:
    return message.text.count("photo-")
