"""One conversation about how prompts are run, through the whole way to Telegram and back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from fakes.scripted_engine import ScriptedTurn
from fakes.telegram_api import TelegramApi
from fakes.telegram_api.world import Message
from takopi.model import TakopiEvent
from takopi.turn import EngineCapabilities
from telegram.served import GROUP_ID, served

pytestmark = pytest.mark.anyio

CODEX = EngineCapabilities(
    models=("gpt-5", "o3"), reasoning_levels=("low", "high"), permission_modes=("plan", "full")
)


async def two_steps(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
    """Do two things and answer."""
    yield turn.started()
    yield turn.step("make one", 1)
    yield turn.step("make two", 2)
    yield turn.answer(f"answer to {turn.request.prompt}")


def named(text: str, name: str = "@takopi_test_bot", kind: str = "mention") -> dict[str, Any]:
    """Mark a name in a text as Telegram does."""
    return {"entities": [{"type": kind, "offset": text.index(name), "length": len(name)}]}


async def answered(api: TelegramApi, words: str) -> Message:
    """Wait for a message of the bot."""
    return await api.wait_message(lambda message: words in (message.text or ""))


@pytest.mark.long
async def test_a_person_chooses_how_prompts_are_run(api: TelegramApi) -> None:
    """In the private chat: by words and by a button, and the next prompt goes by it."""
    async with served(api, reactions=True) as bot:
        bot.codex.capabilities = CODEX
        bot.codex.default = two_steps
        api.owner.say("/model gpt-5")
        await answered(api, "gpt-5 is chosen for this chat")
        api.owner.say("/reasoning")
        shown = await answered(api, "Reasoning of codex: codex decides")
        api.owner.press(shown, "high")
        await api.wait_for(lambda: "Reasoning of codex: high (this chat)" in shown.text)
        for text in ("/mode plan", "/agent codex", "/verbose full"):
            api.owner.say(text)
        asked = api.owner.say("fix it")
        final = await answered(api, "answer to fix it")
        request = bot.codex.turns[0].request
        asked_for = (request.model, request.reasoning, request.permission_mode)
        assert asked_for == ("gpt-5", "high", "plan")
        await answered(api, "codex is chosen for this chat")
        assert "▸ make one\n▸ make two" in final.text
        assert "expandable_blockquote" in [entity["type"] for entity in final.entities]
        await api.wait_for(lambda: asked.reactions == ["👌"])


async def test_a_group_and_its_topic_hear_what_is_meant_for_the_bot(api: TelegramApi) -> None:
    """And nothing else gets any call: no answer, no reaction."""
    async with served(api, reactions=True) as bot:
        api.world.group(GROUP_ID).is_forum = True
        topic = api.world.topic(GROUP_ID, "work")
        owner = api.owner
        owner.say("/trigger mentions for chat", GROUP_ID, thread_id=topic)
        await answered(api, "mentions is chosen for this chat")
        asides = []
        for number, thread in enumerate((None, topic)):
            text = f"@takopi_test_bot look {number}"
            asides.append(owner.say("lunch?", GROUP_ID, thread_id=thread))
            owner.say("I agree", GROUP_ID, thread_id=thread, reply_to=asides[-1])
            asked = owner.say(text, GROUP_ID, thread_id=thread, **named(text))
            final = await answered(api, f"answer to look {number}")
            assert (final.thread_id, final.reply_to) == (thread, asked)
        owner.say("and then?", GROUP_ID, thread_id=topic, reply_to=final)
        await answered(api, "answer to and then?")
        asides += owner.album(["", "this one"], GROUP_ID, thread_id=topic)
        await api.wait_for(lambda: not api.updates.pending)
        prompts = [turn.request.prompt for turn in bot.codex.turns]
        assert prompts == ["look 0", "look 1", "and then?"]
        reacted = {call.params["message_id"] for call in api.calls.of("setMessageReaction")}
        assert reacted
        assert not reacted & {message.id for message in asides}
