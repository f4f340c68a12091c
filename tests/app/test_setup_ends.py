"""How the set-up ends: what a Ctrl-C behind the last question means, and a write that fails."""

import tomllib
from pathlib import Path

import pytest

from fakes.scripted_asker import ScriptedAsker
from takopi.app.home import Home
from takopi.app.setup import set_up
from takopi.errors import UsageError
from takopi.settings import load_settings

TOKEN = "123456789:AAStandInTokenOfThirtyFiveCharacter"


class Impatient(ScriptedAsker):
    """Press Ctrl-C when the file is written."""

    def say(self, text: str, mood: str = "plain") -> None:
        super().say(text, mood)
        if mood == "good" and text.endswith("is written"):
            raise KeyboardInterrupt


@pytest.fixture
def config(takopi_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything is there but the style and the project; nobody listens at the bot's server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    path = takopi_home / "takopi.toml"
    path.touch(mode=0o600)
    path.write_text(
        f'work_dir = "{tmp_path}"\ndefault_engine = "codex"\n[transports.telegram]\n'
        f'bot_token = "{TOKEN}"\nchat_id = 1000\napi_base_url = "http://127.0.0.1:1"\n'
    )
    return path


def go(config: Path, asker: ScriptedAsker) -> bool:
    home = Home(config.parent)
    return set_up(home, load_settings(config), asker, again=False)


def test_ctrl_c_behind_the_write_does_not_say_that_nothing_was_written(config) -> None:
    """The file has the answers, and the person is told how to go on."""
    asker = Impatient()
    with pytest.raises(SystemExit) as ended:
        go(config, asker)
    assert ended.value.code == 130
    assert tomllib.loads(config.read_text())["session_mode"] == "chat"
    assert "is written; `takopi` starts the bot" in asker.said[-1]


def test_a_network_that_is_down_at_the_end_costs_only_the_greeting(config) -> None:
    """And a style with topics is taken although the bot cannot be asked about them."""
    asker = ScriptedAsker({"Which style": ["workspace"]})
    assert not go(config, asker)
    assert "the test message did not arrive" in asker.text
    assert tomllib.loads(config.read_text())["transports"]["telegram"]["topics"]["enabled"]


def test_a_key_that_is_no_table_stops_the_write_as_a_whole(config) -> None:
    """Nothing of the answers is written, not even what would have fitted."""
    asker = ScriptedAsker()
    home, settings = Home(config.parent), load_settings(config)
    config.write_text(f"session_mode.x = 1\n{config.read_text()}")
    before = config.read_bytes()
    with pytest.raises(UsageError, match="is a table"):
        set_up(home, settings, asker, again=False)
    assert config.read_bytes() == before
