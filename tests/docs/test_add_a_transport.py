"""The how-to on transports works as it stands, and a whole bot is served with what it builds."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from fakes.bot_process import BotProcess, untraced
from fakes.plugin_packages import PLUGINS, install_package, page_block
from fakes.toy_engine import install_toy_engine

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "add-a-transport.md"
GROUP = "takopi.transport_backends"


def test_the_page_and_the_contract_are_about_the_same_module() -> None:
    """What the contract suite checks is what the page shows."""
    shown = page_block(PAGE, "takopi_filechat.py")
    assert shown == (PLUGINS / "takopi_filechat.py").read_text()


class Chat:
    """Be the person at the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def say(self, **said: Any) -> None:
        with (self.folder / "inbox.jsonl").open("a") as file:
            file.write(json.dumps(said) + "\n")

    def shown(self) -> list[dict[str, Any]]:
        path = self.folder / "outbox.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines()]

    async def reads(self, words: str) -> dict[str, Any]:
        """Wait for a message."""
        with anyio.fail_after(40):
            while True:
                for record in self.shown():
                    if words in record.get("text", ""):
                        return record
                await anyio.sleep(0.02)  # another process writes the file


@pytest.mark.long
@pytest.mark.anyio
@pytest.mark.timeout(90)
async def test_a_bot_in_a_folder(tmp_path: Path) -> None:
    """Chosen by the configuration, served like any other, and Telegram's client is not loaded."""
    site = tmp_path / "site"
    install_package(
        site,
        "takopi-filechat",
        page_block(PAGE, "takopi_filechat.py"),
        {GROUP: "filechat = BACKEND"},
    )
    home = tmp_path / "one" / ".takopi"
    home.mkdir(mode=0o700, parents=True)
    install_toy_engine(home, tmp_path / "bin")
    config = home / "takopi.toml"
    chat = Chat(tmp_path / "chat")
    config.write_text('transport = "filechat"\ndefault_engine = "toy"\n')
    config.chmod(0o600)
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "PYTHONPATH": str(site),
        "PYTHONPROFILEIMPORTTIME": "1",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    async with BotProcess(home, environment) as bot:
        with anyio.fail_after(30):
            assert await bot.process.wait() == 78
    assert "transports.filechat.folder is not set: set it with" in bot.output
    with config.open("a") as file:
        file.write(f'work_dir = "{tmp_path}"\n[transports.filechat]\nfolder = "{chat.folder}"\n')
    chat.say(text="hello")
    async with BotProcess(home, environment) as bot:
        final = await chat.reads("toy heard: hello")
        chat.say(text="more", reply_to=final["id"])
        chat.say(text="stranger", **{"from": 7})
        await chat.reads("toy heard: more")
        assert await bot.stop() == 0
        assert f"takopi serves {chat.folder}" in bot.output
        assert "import time:" in bot.output
        assert "aiogram" not in bot.output
    async with BotProcess(home, environment) as bot:
        chat.say(text="again")
        await chat.reads("toy heard: again")
    finals = [one["text"] for one in chat.shown() if "✓ done" in one.get("text", "")]
    assert len(finals) == 3
    assert (chat.folder / "position").read_text() == "4"
    done = await anyio.run_process(
        [sys.executable, "-m", "takopi", "plugins"],
        env=untraced(os.environ) | environment | {"TAKOPI_HOME": str(home)},
    )
    listed = done.stdout.decode().partition("transports:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == ["filechat", "telegram", "terminal"]
    assert all("✓" in line for line in listed)
