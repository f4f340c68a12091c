"""The how-to on commands works as it stands, and so does a package of commands in the whole bot."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from fakes.bot_process import BotProcess, appears, untraced, write_config
from fakes.plugin_packages import PLUGINS, install_package, page_block
from fakes.telegram_api import TelegramApi
from fakes.toy_engine import install_toy_engine

pytestmark = pytest.mark.long

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "add-a-command.md"
GROUP = "takopi.command_backends"
CONFIG = """
default_engine = "toy"
[plugins]
enabled = ["Takopi_Panel", "takopi-example"]
[plugins.panel]
engines = ["toy"]
judge = "toy"
[plugins.greet]
greeting = "ahoy"
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    panel = page_block(PAGE, "takopi_panel.py")
    install_package(site, "takopi-panel", panel, {GROUP: "panel = BACKEND"})
    example = (PLUGINS / "takopi_example.py").read_text()
    entries = "greet = GREET, bug = BUG, slow = SLOW, status = GREET, toy = GREET"
    install_package(site, "takopi-example", example, {GROUP: entries})
    install_package(site, "takopi-other", "BACKEND = 1", {GROUP: "other = BACKEND"})
    return site


def test_the_tests_of_the_page_pass(site: Path, tmp_path: Path) -> None:
    """A command is tested without a chat."""
    (tmp_path / "test_panel.py").write_text(page_block(PAGE, "test_panel.py"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_panel.py"],
        cwd=tmp_path,
        env=untraced(os.environ) | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.anyio
@pytest.mark.timeout(90)
async def test_commands_of_packages_in_the_chat(site: Path, tmp_path: Path) -> None:
    """Listed, answered, failing in one line, told after a crash; ids that are taken are refused."""
    home = tmp_path / "one" / ".takopi"
    home.mkdir(mode=0o700, parents=True)
    install_toy_engine(home, tmp_path / "bin")
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "PYTHONPATH": str(site),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, CONFIG)
        async with BotProcess(home, environment) as bot:
            menu = await api.wait_call("setMyCommands", timeout_s=60)
            assert "Ask several engines at once" in str(menu)
            api.owner.say('/greet "you there"')
            await api.wait_message(lambda m: m.text == "ahoy you there; engines: toy")
            api.owner.say("/bug now")
            line = "takopi failed while running the plug-in command /bug (RuntimeError)"
            await api.wait_message(lambda m: (m.text or "").startswith(line))
            api.owner.say("/other")
            await api.wait_message(lambda m: "Nobody here knows /other" in (m.text or ""))
            api.owner.say("/panel why")
            await api.wait_message(lambda m: m.text == "toy says:\ntoy heard: why")
            await api.wait_message(lambda m: "✓ done · toy" in (m.text or ""))
            assert sum("✓ done" in (m.text or "") for m in api.bot_messages()) == 1
            api.owner.say(f"/slow run: touch {tmp_path}/on\nwait: {tmp_path}/never")
            await appears(tmp_path / "on")
            bot.process.send_signal(signal.SIGKILL)
            await bot.process.wait()
        async with BotProcess(home, environment) as bot:
            told = "takopi was interrupted while /slow ran, and does not run it again by itself."
            await api.wait_message(lambda m: (m.text or "").startswith(told))
            assert await bot.stop() == 0
            assert "told to fail with now" in bot.output
            assert "plugin=bug" in bot.output
        assert not any("cancelled" in (m.text or "") for m in api.bot_messages())
    done = await anyio.run_process(
        [sys.executable, "-m", "takopi", "plugins"],
        env=untraced(os.environ) | environment | {"TAKOPI_HOME": str(home)},
    )
    listed = done.stdout.decode().partition("commands:\n")[2]
    place = "entry point panel = takopi_panel:BACKEND of takopi-panel 1.0"
    assert f"panel           ✓ {place}\n" in listed
    assert "`toy` is an engine already; rename one of the two" in listed
    assert "`status` is a name that takopi itself uses" in listed
    assert "not loaded: plugins.enabled does not name takopi-other" in listed
