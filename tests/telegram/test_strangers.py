"""Nobody but the allowed: no update of anyone else reaches anything or gets a call.

Through the real transport and bridge, for every kind of update that the Bot API has, and for every
way in which somebody who is not served can be its sender.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.scripted_engine import until_cancelled
from fakes.telegram_api import OWNER_ID, Message, TelegramApi
from takopi.core.file_rules import FileRules
from takopi.files.project_files import LocalFiles
from takopi.telegram.fast_import import import_aiogram
from telegram.served import GROUP_ID, served

pytestmark = pytest.mark.anyio

NUMBERS = itertools.count(9000)

STRANGER = {"id": 6666, "is_bot": False, "first_name": "Eve"}
OWNER = {"id": OWNER_ID, "is_bot": False, "first_name": "Ada"}
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "GroupAnonymousBot"}
BRIDGE_OF_CHANNELS = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
GROUP = {"id": GROUP_ID, "type": "supergroup", "title": "Team"}
CHANNEL = {"id": -1009999, "type": "channel", "title": "News"}
PRIVATE = {"id": OWNER_ID, "type": "private", "first_name": "Ada"}

# Where somebody who is not served writes, and as whom.
SENDERS: dict[str, dict[str, Any]] = {
    "a stranger in private": {"from": STRANGER, "chat": {**PRIVATE, "id": 6666}},
    "a stranger in the group": {"from": STRANGER, "chat": GROUP},
    "a stranger in the owner's chat": {"from": STRANGER, "chat": PRIVATE},
    "the owner in a foreign group": {"from": OWNER, "chat": {**GROUP, "id": -1007777}},
    "the owner in a channel": {"from": OWNER, "chat": CHANNEL},
    "a channel": {"sender_chat": CHANNEL, "chat": CHANNEL},
    "a channel in the group": {"from": STRANGER, "sender_chat": CHANNEL, "chat": GROUP},
    "the owner as a channel": {"from": OWNER, "sender_chat": CHANNEL, "chat": GROUP},
    "an anonymous admin": {"from": ANONYMOUS, "sender_chat": GROUP, "chat": GROUP},
    "an automatic forward": {
        "from": BRIDGE_OF_CHANNELS,
        "sender_chat": CHANNEL,
        "chat": GROUP,
        "is_automatic_forward": True,
        "forward_origin": {"type": "channel", "chat": CHANNEL, "message_id": 5, "date": 1},
    },
    "an automatic forward in the owner's name": {
        "from": OWNER,
        "chat": GROUP,
        "is_automatic_forward": True,
    },
    "nobody": {"chat": GROUP},
    "a guest of a business": {"from": STRANGER, "chat": PRIVATE, "business_connection_id": "b"},
}  # fmt: skip
SERVED_KINDS = ("message", "edited_message", "callback_query")


def kinds() -> list[str]:
    """List every kind of update that the Bot API has."""
    import_aiogram()
    from aiogram.types import Update

    return [name for name in Update.model_fields if name != "update_id"]


def contents(
    kind: str, sender: dict[str, Any], said: Message, shown: Message
) -> Iterator[dict[str, Any]]:
    """Make contents that would do something, had somebody else sent them.

    One content has the fields of all kinds at once, so that a kind that is new tomorrow is tried.
    No two are repeats of each other. An edit is one of the prompt that runs.
    """
    person = sender.get("from", {"id": 0, "is_bot": False, "first_name": "?"})
    bots = {**shown.json(), "chat": sender["chat"]}
    inaccessible = {"chat": sender["chat"], "message_id": shown.id, "date": 0}
    for text in ("/cancel", "/status", "/start", "do it", "/cancel all"):
        yield {
            **sender,
            "id": str(next(NUMBERS)),
            "message_id": said.id if "edited" in kind else next(NUMBERS),
            "date": 1_800_000_000,
            "edit_date": 1_800_000_000 + next(NUMBERS),
            "text": text,
            "reply_to_message": bots,
            "user": person,
            "query": text,
            "data": shown.buttons[0]["callback_data"],
            "message": bots if text == "/cancel" else inaccessible,
            "chat_instance": "1",
            "media_group_id": "5" if text == "do it" else None,
            "document": {"file_id": "up0", "file_name": "a.pdf"} if text == "do it" else None,
        }


def push_all(api: TelegramApi, kind: str, said: Message, shown: Message) -> int:
    """Let everybody who is not served send everything of a kind; return how much it was."""
    number = 0
    senders = dict(SENDERS)
    if kind not in SERVED_KINDS:
        senders |= {
            "the owner": {"from": OWNER, "chat": PRIVATE},
            "the owner in the group": {"from": OWNER, "chat": GROUP},
        }
    for sender in senders.values():
        if kind == "callback_query" and "from" not in sender:
            continue  # a press has a person
        if kind == "callback_query" and sender["from"] is OWNER and sender["chat"] is GROUP:
            continue  # people press as themselves
        for content in contents(kind, sender, said, shown):
            found = {name: value for name, value in content.items() if value is not None}
            api.updates.push(kind, found, wanted=True)
            number += 1
    return number


@pytest.mark.parametrize("kind", kinds())
async def test_nobody_else_reaches_anything(api: TelegramApi, kind: str, tmp_path: Path) -> None:
    """No call but polls, no turn, no record; what runs goes on, and the owner can still stop it."""
    async with served(api, files=LocalFiles(FileRules(), tmp_path)) as bot:
        bot.codex.default = until_cancelled
        said = api.owner.say("go")
        await api.wait_for(lambda: bot.codex.turns and api.bot_messages())
        shown = await api.wait_message(lambda message: bool(message.buttons))
        before, known = len(api.calls.calls), await bot.store.load()
        assert push_all(api, kind, said, shown) >= 40
        await api.wait_for(lambda: not api.updates.pending)
        called = [call for call in api.calls.calls[before:] if call.method != "getUpdates"]
        # The progress of what runs is the owner's own.
        assert [c for c in called if c.params.get("message_id") != shown.id] == []
        after = await bot.store.load()
        assert (len(after.turns), after.letters, after.updates) == (len(known.turns), (), ())
        assert len(bot.codex.turns) == 1
        assert bot.codex.turns[0].interrupts == 0
        api.owner.press(shown)
        await api.wait_for(lambda: bot.codex.turns[0].interrupts)


async def test_the_same_from_somebody_who_is_served_does_something(api: TelegramApi) -> None:
    """The contents above are no duds: each served kind of them works for the owner."""
    owner = {"from": OWNER, "chat": PRIVATE}
    async with served(api) as bot:
        bot.codex.default = until_cancelled
        said = api.owner.say("go")
        shown = await api.wait_message(lambda message: bool(message.buttons))
        for kind, place in (("message", 1), ("edited_message", 3), ("callback_query", 0)):
            before = len(api.calls.calls)
            content = list(contents(kind, owner, said, shown))[place]
            api.updates.push(kind, {k: v for k, v in content.items() if v is not None})

            def answered(before: int = before) -> bool:
                return any(call.method != "getUpdates" for call in api.calls.calls[before:])

            await api.wait_for(answered)
        await api.wait_for(lambda: bot.codex.turns[0].interrupts)


async def test_strangers_cost_nothing_but_are_confirmed(api: TelegramApi) -> None:
    """An answer of strangers' updates alone is confirmed, and nothing of it comes again."""
    async with served(api) as bot:
        for number in range(150):
            api.person(6666, "Eve").say(f"let me in {number}")
        await api.wait_for(lambda: not api.updates.pending)
        assert (await bot.store.load()).updates == ()
    assert {call.method for call in api.calls.calls} == {
        *("getMe", "getUpdates", "getMyCommands", "setMyCommands")
    }
