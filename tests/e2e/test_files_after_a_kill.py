"""A bot that is killed while it fetches a file: the next one goes on, and doubles nothing."""

import os
import signal
from pathlib import Path

import pytest

from fakes.bot_process import BotProcess, write_config
from fakes.telegram_api import TelegramApi
from fakes.toy_engine import install_toy_engine

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]


async def test_a_file_comes_once_through_a_kill(tmp_path: Path) -> None:
    """One album, of which one file was there: the answer comes, and each file lies there once."""
    home, bin_dir, work_dir = tmp_path / "home", tmp_path / "bin", tmp_path / "work"
    work_dir.mkdir()
    async with TelegramApi() as api:
        write_config(home, api, work_dir, 'default_engine = "toy"')
        install_toy_engine(home, bin_dir)
        environment = {"PATH": f"{bin_dir}:{os.environ['PATH']}"}
        async with BotProcess(home, environment) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            api.faults.add("hang", "getFile", skip=1)
            api.owner.album(["look", ""])
            await api.wait_for(lambda: len(api.calls.of("getFile")) == 2)
            await bot.stop(signal.SIGKILL)
        api.faults.clear()
        before = sorted(path.name for path in (work_dir / "incoming").iterdir())
        assert [name.rpartition(".")[2] for name in before].count("jpg") == 1
        async with BotProcess(home, environment):
            final = await api.wait_message(lambda m: "✓ done" in m.text, timeout_s=60)
            assert final.text.count(".jpg") == 2
        found = sorted((work_dir / "incoming").glob("*.jpg"))
        assert [path.read_bytes()[-1:] for path in found] == [b"0", b"1"]
        assert len(api.calls.of("getFile")) == 3
