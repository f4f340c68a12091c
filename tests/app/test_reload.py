"""A changed configuration is taken while the bot serves, and nobody's run notices."""

import signal
from pathlib import Path

import pytest

from fakes.bot_process import BotProcess, appears, write_config
from fakes.outside import holds
from fakes.telegram_api import TelegramApi
from fakes.toy_engine import install_toy_engine

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90), pytest.mark.long]


async def test_a_changed_configuration_is_taken_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    """The run of a prompt from before goes on in the same message; the language is another one."""
    home = tmp_path / "home" / ".takopi"
    home.mkdir(mode=0o700, parents=True)
    install_toy_engine(home, tmp_path / "bin")
    zed = tmp_path / "zed"
    zed.mkdir()
    go_on = tmp_path / "go-on"
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    async with TelegramApi() as api:
        path = write_config(home, api, tmp_path, 'default_engine = "toy"')
        async with BotProcess(home, environment, traced=True) as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            api.owner.say(f"run: touch {tmp_path}/on\nwait: {go_on}\nhello")
            await appears(tmp_path / "on")
            before = path.read_text()
            path.write_text(before.replace("[transports", "max_runs = 0\n[transports", 1))
            await api.wait_message(lambda m: "is not taken" in (m.text or ""), timeout_s=30)
            api.owner.say("/queue")
            await api.wait_message(lambda m: "Nothing waits here." in (m.text or ""))
            path.write_text(f'language = "es"\n{before}\n[projects.zed]\npath = "{zed}"\n')
            api.owner.say("/zed where")
            await holds(lambda: "takes the changed configuration" in bot.output, 30)
            api.owner.say("/zed run: pwd > here\nhi")
            await api.wait_message(lambda m: "toy heard: hi" in (m.text or ""), timeout_s=30)
            assert (zed / "here").read_text().strip() == str(zed)
            api.owner.say("/queue")
            await api.wait_message(lambda m: "Aquí no espera nada." in (m.text or ""))
            go_on.touch()
            await api.wait_message(lambda m: "toy heard: hello" in (m.text or ""), timeout_s=30)
            assert await bot.stop(signal.SIGTERM) == 0
        answers = [m for m in api.bot_messages() if "toy heard: hello" in (m.text or "")]
        assert len(answers) == 1
        assert not any("takopi is away" in (m.text or "") for m in api.bot_messages())
        assert "Traceback" not in bot.output
