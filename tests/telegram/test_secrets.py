"""What must not be written: prompts above debug, and secrets anywhere."""

import json
import logging as standard
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.scripted_engine import ScriptedTurn, prompt_answer
from fakes.telegram_api import TelegramApi
from takopi import logging as log
from takopi.core.outbox_budget import OutboxLimits
from takopi.errors import RunFailed
from takopi.model import TakopiEvent
from telegram.served import served

pytestmark = pytest.mark.anyio

PROMPT = "the canary sings of a private matter"
KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def debug_file(tmp_path: Path) -> Iterator[Path]:
    """Write everything into a file, as `--debug` does."""
    root = standard.getLogger()
    before = root.handlers, root.level
    log.configure_logging(debug_file=tmp_path / "debug.log")
    yield tmp_path / "debug.log"
    root.handlers, root.level = before
    log._sink.close_file()


async def fails(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
    """Start, work and fail, and say more than is good."""
    yield turn.started()
    yield turn.step("grep -r x")
    yield turn.failure(f"invalid key {KEY} for {log_token()}", resume=turn.session)


async def breaks(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
    """Refuse, with a secret in the reason."""
    yield turn.started()
    raise RunFailed(f"cannot be started with {log_token()}")


def log_token() -> str:
    """Give the bot's token, as a careless library puts it into an error."""
    return "http://127.0.0.1/bot123456789:AAStandInTokenOfThirtyFiveCharacter/getMe"


async def converse(api: TelegramApi) -> None:
    """Say a prompt in all the ways there are, with every kind of trouble on the way."""
    owner = api.owner

    async def next_answer(after: int) -> Any:
        return await api.wait_message(lambda m: m.id > after and not m.buttons)

    quick = OutboxLimits(private_rate_s=0.01, private_burst=100)
    async with served(api, limits=quick) as bot:
        for script, trouble in (
            (prompt_answer, {}),
            (fails, {"kind": "status", "code": 500, "description": "Internal Server Error"}),
            (breaks, {"kind": "drop_after"}),
            (prompt_answer, {"kind": "garbage"}),
            (prompt_answer, {"kind": "status", "code": 400, "description": "Bad Request: x"}),
        ):
            bot.codex.default = script
            if trouble:
                api.faults.add(method="sendMessage", **trouble)
                api.faults.add("drop", "getUpdates")
            said = owner.say(PROMPT)
            await next_answer(said.id)
        owner.edit(said, PROMPT + "!")
        command = owner.say(f"/nobody {PROMPT}")
        await next_answer(command.id)
        owner.album([PROMPT, ""])
        owner.forward(PROMPT)
        owner.paste(PROMPT * 200)
        api.updates.push("message", {"message_id": PROMPT, "text": PROMPT}, wanted=True)
        api.updates.push("callback_query", {"id": PROMPT, "message": PROMPT}, wanted=True)
        api.person(6666).say(PROMPT)
        owner.press_data(said, PROMPT[:60])
        last = owner.say("/status")
        await next_answer(last.id)
        await api.wait_for(lambda: not api.updates.pending)


def written(debug_file: Path) -> list[dict[str, Any]]:
    """Read the records."""
    return [json.loads(line) for line in debug_file.read_text("utf-8").splitlines()]


@pytest.mark.long
async def test_a_conversation_leaves_no_prompt_above_debug_and_no_secret_anywhere(
    api: TelegramApi, debug_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a person asked is for the debug level alone, whatever happens to it; an engine's error
    loses its keys before anybody reads it, and the rest of it stays.
    """
    log.add_secrets([api.token])
    await converse(api)
    records, shown = written(debug_file), capsys.readouterr().err
    told = [record for record in records if record["level"] != "debug"]
    events = [record["event"] for record in told]
    assert events.count("telegram.update_undecodable") == 2
    assert events.count("telegram.poll_failed") >= 1
    assert not [record for record in told if PROMPT in str(record)]
    assert PROMPT not in shown
    said = "\n".join(text for m in api.bot_messages() for text in (m.text, *m.history))
    assert "invalid key [redacted] for" in said
    assert "cannot be started with" in said
    for secret in (KEY, api.token, api.token.partition(":")[2]):
        assert secret not in said + str(records) + shown
