"""takopi killed in the middle of a run of each real engine: the next one delivers the answer."""

import signal
from pathlib import Path

import anyio
import pytest

from e2e.real_engines import PARAMETERS, RESUME_LINES, engine_table, needs
from fakes.bot_process import BotProcess, write_config
from fakes.engine_homes import prepare_home
from fakes.model_api import FakeModelApi
from fakes.telegram_api import TelegramApi
from takopi.process.run_views import list_runs, look_at_run

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


@pytest.mark.parametrize("engine", PARAMETERS)
@pytest.mark.parametrize("meanwhile", ["it works on", "it ends"])
async def test_a_run_outlives_the_bot(engine: str, meanwhile: str, tmp_path: Path) -> None:
    """One final, in the same session, whether the engine ended while nobody was there or not."""
    needs(engine)
    work_dir = tmp_path / "project"
    work_dir.mkdir()
    home = tmp_path / "home" / ".takopi"
    with FakeModelApi() as model:
        async with TelegramApi() as api:
            prepared = prepare_home(engine, tmp_path / "engine-home", model.url)
            write_config(home, api, work_dir, engine_table(engine, prepared.config))
            bot = BotProcess(home, prepared.environment)
            async with bot:
                await api.wait_call("getUpdates", timeout_s=60)
                me = api.owner
                prompt = me.say("[[bash: echo from-the-shell]][[hold: gate]] remember the walrus")
                await api.wait_message(lambda m: "from-the-shell" in (m.text or ""), timeout_s=60)
                await bot.stop(signal.SIGKILL)
            (run,) = list_runs(home / "runs")
            assert run.state == "running"
            if meanwhile == "it ends":
                model.release("gate")
                with anyio.fail_after(60):
                    while look_at_run(home / "runs", run.run_id).state != "ended":  # noqa: ASYNC110
                        await anyio.sleep(0.05)  # the holder is no child: only its file tells
            async with BotProcess(home, prepared.environment):
                await api.wait_call("getUpdates", count=1, timeout_s=60)
                model.release("gate")
                first = await api.wait_message(
                    lambda m: RESUME_LINES[engine] in (m.text or ""), timeout_s=90
                )
                assert "done" in first.text
                assert "from-the-shell" in first.text
                assert "sent again" not in first.text
                assert first.reply_to is prompt
                me.say("what did I ask you to remember?", reply_to=first.id)
                second = await api.wait_message(
                    lambda m: m.id > first.id and RESUME_LINES[engine] in (m.text or ""),
                    timeout_s=90,
                )
                assert "walrus" in second.text, "the session did not go on"
                # One final each; the progress message of both takopis is gone.
                await api.wait_for(lambda: len(api.bot_messages()) == 2 or None, 20)
            assert len(list(list_runs(home / "runs"))) == 2
