"""Promise 16: one bot per token and per home.

Full: 50 `takopi` processes start at the same moment over one home, and 50 over homes of their own
with one token: one wins, the others leave with exit status 2 and say who holds it.
"""

import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from fakes.bot_process import write_config
from fakes.telegram_api import TelegramApi
from fakes.toy_engine import install_toy_engine
from promises.forms import FULL

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

STARTS = 50 if FULL else 2


@pytest.mark.parametrize("shared", ["home", "token"])
async def test_one_of_many_starts_wins(shared: str, tmp_path: Path) -> None:
    """Nobody else polls, whatever they share."""
    async with TelegramApi() as api:
        homes = [tmp_path / (f"home{n}" if shared == "token" else "home") for n in range(STARTS)]
        for home in dict.fromkeys(homes):
            write_config(home, api, tmp_path, 'default_engine = "toy"')
            install_toy_engine(home, tmp_path / "bin")
        environment = {
            **os.environ,
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "XDG_STATE_HOME": str(tmp_path / "state"),
        }
        bots = [_start(home, environment) for home in homes]
        try:
            with anyio.fail_after(240):
                await anyio.to_thread.run_sync(_until_one_is_left, bots, abandon_on_cancel=True)
            await api.wait_call("getUpdates", timeout_s=30)
            (winner,) = [bot for bot in bots if bot.poll() is None]
            for bot in bots:
                if bot is not winner:
                    said = bot.stderr.read().decode() if bot.stderr else ""
                    assert bot.returncode == 2, said
                    assert f"already served by takopi (process {winner.pid})" in said
        finally:
            for bot in bots:
                if bot.poll() is None:
                    bot.terminate()
                bot.wait(20)
                if bot.stderr:
                    bot.stderr.close()


def _start(home: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "takopi"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment | {"TAKOPI_HOME": str(home)},
        start_new_session=True,
    )


def _until_one_is_left(bots: list[subprocess.Popen[bytes]]) -> None:
    left = list(bots)
    while len(left) > 1:
        for bot in left:
            try:
                bot.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
            left.remove(bot)
            break
