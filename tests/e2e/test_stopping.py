"""The bot as a process is told to stop while its chat service is out of order."""

import os
import time
from pathlib import Path

import pytest

from fakes.bot_process import BotProcess, appears, write_config
from fakes.telegram_api import TelegramApi
from fakes.toy_engine import install_toy_engine

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]


async def test_a_stop_takes_ten_seconds_at_most_when_nothing_can_be_sent(tmp_path: Path) -> None:
    """Leaving itself takes time too: what is given to the last messages ends before."""
    home, bin_dir, work_dir = tmp_path / "home", tmp_path / "bin", tmp_path / "work"
    work_dir.mkdir()
    async with TelegramApi() as api:
        write_config(home, api, work_dir, 'default_engine = "toy"\non_stop = "cancel"')
        install_toy_engine(home, bin_dir)
        environment = {"PATH": f"{bin_dir}:{os.environ['PATH']}"}
        async with BotProcess(home, environment) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            api.owner.say(f"run: touch {tmp_path / 'on'}\nwait: {tmp_path / 'never'}")
            await appears(tmp_path / "on")
            api.faults.add("hang", times=1_000)
            began = time.monotonic()
            assert await bot.stop(limit_s=60) == 0
            took_s = time.monotonic() - began
        assert took_s <= 10
