"""The morning: the set-up, two projects, the first answers, and the service."""

import configparser
import re
import sys
from pathlib import Path

import anyio.from_thread
import anyio.to_thread

from e2e.whole_day.day import Day
from fakes.pty_user import CTRL_C, PtyUser
from fakes.telegram_api import OWNER_ID, TOKEN

__all__ = ["first_answers", "second_project", "service_files", "set_up"]

_ENGINES = """\
# How this machine's engines are to be started.
[transports.telegram]
api_base_url = "{url}"

[codex]
sandbox = "danger-full-access"

[claude]
use_api_billing = true
dangerously_skip_permissions = true
"""


async def make_repository(day: Day, name: str) -> Path:
    """Make a git repository with one commit, which a remote knows too."""
    path = day.project(name)
    path.mkdir(parents=True)
    await day.git(path, "init", "--quiet")
    (path / "README.md").write_text(f"# {name}\n")
    await day.git(path, "add", "README.md")
    await day.git(path, "commit", "--quiet", "--message", "Begin")
    return path


async def set_up(day: Day) -> None:
    """Ada starts takopi in her repository, answers six questions, and gets her first answer."""
    shop = await make_repository(day, "shop")
    day.home.mkdir(mode=0o700, parents=True)
    day.config.touch(mode=0o600)
    day.config.write_text(_ENGINES.format(url=day.api.base_url))
    argv = [sys.executable, "-m", "takopi"]

    def sit() -> int:
        with PtyUser(argv, day.whole_environment(), cwd=shop) as user:
            _answer_six_questions(user, day)
            return user.leave()

    assert await anyio.to_thread.run_sync(sit) == 0
    text = day.config.read_text()
    assert "# How this machine's engines are to be started." in text
    assert f"allowed_user_ids = [{OWNER_ID}]" in text
    assert not day.api.bot_messages(4711), "a stranger was answered"


def _answer_six_questions(user: PtyUser, day: Day) -> None:
    user.expect("1/6 Your bot")
    user.expect("›")
    user.type(f"{TOKEN}\r")
    user.expect("✓ @takopi_test_bot")
    anyio.from_thread.run_sync(day.api.person(4711, "Eve").say, "/start")
    user.expect("Waiting for you")
    code = re.search(r"\?start=([0-9a-f]{32})\s", user.shown)
    assert code is not None
    anyio.from_thread.run_sync(day.api.owner.say, f"/start {code[1]}")
    user.expect(f"(id {OWNER_ID})")
    user.expect("3/6 Where")
    user.expect("Enter")
    user.type("1\r")
    user.expect("4/6 How")
    user.expect("Enter")
    user.type("2\r")
    user.expect("Which style? workspace")
    user.expect("✓ codex")
    user.expect("✓ claude")
    user.expect("Enter")
    user.type("1\r")
    user.expect("6/6 Your first project")
    user.expect("Enter")
    user.type("1\r")
    user.expect("All right?")
    user.expect("Enter")
    user.type("\r")
    user.expect("a test message is in your chat")
    user.expect("takopi serves @takopi_test_bot")
    assert TOKEN not in user.shown
    answer = anyio.from_thread.run(day.ask, "which files are here? [[bash: ls]]")
    assert "README.md" in answer.text
    user.type(CTRL_C)


async def service_files(day: Day) -> None:
    """She installs the service: the unit is written, nothing is started, nothing is enabled."""
    bin_dir = day.folder / "person" / "bin"
    systemctl = bin_dir / "systemctl"
    systemctl.write_text(f"#!/bin/sh\ntouch {day.folder}/systemctl-was-run\n")
    systemctl.chmod(0o755)
    told = await day.takopi("service", "install")
    unit = day.folder / "person" / ".config" / "systemd" / "user" / "takopi.service"
    assert f"{unit} is written" in told
    read = configparser.ConfigParser(interpolation=None, strict=False)
    read.optionxform = str  # type: ignore[assignment] # keys of units are in mixed case
    read.read_string(unit.read_text())
    service = read["Service"]
    wanted = {"Type": "notify", "KillMode": "process", "OOMPolicy": "continue"}
    assert {key: service[key] for key in wanted} == wanted
    assert TOKEN not in unit.read_text()
    assert not (day.folder / "systemctl-was-run").exists()


async def second_project(day: Day) -> None:
    """While the bot serves, another repository becomes a project, and the bot takes it."""
    zed = await make_repository(day, "zed")
    told = await day.takopi("init", cwd=zed)
    assert "/zed what is this project about?" in told
    await day.taken(1)


async def first_answers(day: Day) -> None:
    """Each engine answers where its project is, and replies go on in its session."""
    shop = await day.ask("/new /shop /codex [[bash: pwd]] remember the walrus")
    assert str(day.project("shop")) in shop.text
    assert "codex resume " in shop.text
    zed = await day.ask("/zed /claude [[bash: pwd]] remember the otter")
    assert str(day.project("zed")) in zed.text
    assert "claude --resume " in zed.text
    before = len(day.model.main_requests)
    again = await day.ask("what did I ask you to remember?", reply_to=shop)
    assert "walrus" in again.text
    assert day.tokens_in(before, "walrus") in again.text, "the numbers are not those of this turn"
    assert "ctx: shop" in again.text
    day.seen["shop"], day.seen["zed"] = shop, zed
