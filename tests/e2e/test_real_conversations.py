"""The main job, end to end: the bot as a process, each real engine, two turns in one session."""

import os
from pathlib import Path

import pytest

from fakes.bot_process import BotProcess, write_config
from fakes.engine_homes import ENGINES, find_program, prepare_home
from fakes.model_api import FakeModelApi
from fakes.telegram_api import TelegramApi

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

RESUME_LINES = {
    "codex": "codex resume ",
    "claude": "claude --resume ",
    "opencode": "opencode --session ",
    "pi": "pi --session ",
}

PARAMETERS = [
    pytest.param(
        engine, marks=[getattr(pytest.mark, engine), pytest.mark.xdist_group(f"real-{engine}")]
    )
    for engine in ENGINES
]


@pytest.mark.parametrize("engine", PARAMETERS)
async def test_a_conversation_of_two_turns(engine: str, tmp_path: Path) -> None:
    """A prompt is answered with a resume line, and a reply continues that session."""
    if find_program(engine) is None:
        # Not an assertion on the environment: its failure would print every key in it.
        leave = pytest.fail if os.environ.get("CI") else pytest.skip
        leave(f"{engine} is not installed; scripts/engines installs it")
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


def engine_table(engine: str, config: dict[str, object]) -> str:
    """Write an engine's configuration as TOML, with the default engine and its extra variables."""
    lines = [f'default_engine = "{engine}"', f"[{engine}]"]
    for key, value in config.items():
        shown = str(value).lower() if isinstance(value, bool) else f'"{value}"'
        lines.append(f"{key} = {shown}")
    return "\n".join(lines)
