"""The main job, end to end: the bot as a process, each real engine, two turns in one session."""

from pathlib import Path

import pytest

from e2e.real_engines import PARAMETERS, RESUME_LINES, engine_table, needs
from fakes.bot_process import BotProcess, write_config
from fakes.engine_homes import prepare_home
from fakes.model_api import FakeModelApi
from fakes.telegram_api import TelegramApi

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


@pytest.mark.parametrize("engine", PARAMETERS)
async def test_a_conversation_of_two_turns(engine: str, tmp_path: Path) -> None:
    """A prompt is answered with a resume line, and a reply continues that session."""
    needs(engine)
    work_dir = tmp_path / "project"
    work_dir.mkdir()
    home = tmp_path / "home" / ".takopi"
    with FakeModelApi() as model:
        async with TelegramApi() as api:
            prepared = prepare_home(engine, tmp_path / "engine-home", model.url)
            write_config(home, api, work_dir, engine_table(engine, prepared.config))
            async with BotProcess(home, prepared.environment):
                await api.wait_call("getUpdates", timeout_s=60)
                me = api.owner
                me.say("[[bash: echo from-the-shell]] remember the walrus")
                first = await api.wait_message(
                    lambda m: RESUME_LINES[engine] in (m.text or ""), timeout_s=90
                )
                assert "done" in first.text
                assert "from-the-shell" in first.text
                resume_line = first.text.strip().splitlines()[-1]
                me.say("what did I ask you to remember?", reply_to=first.id)
                second = await api.wait_message(
                    lambda m: m.id > first.id and RESUME_LINES[engine] in (m.text or ""),
                    timeout_s=90,
                )
                assert "walrus" in second.text, "the session did not go on"
                assert second.text.strip().splitlines()[-1] == resume_line
                # The answers alone stay: each progress message goes once its answer is accepted.
                await api.wait_for(lambda: len(api.bot_messages()) == 2 or None, 20)
