"""The stand-in refuses what the real server refuses, with its words."""

from typing import Any

import aiohttp
import anyio
import pytest

from fakes.telegram_api import Refusal, TelegramApi
from fakes.telegram_api.rules import check_commands, check_entities, check_keyboard, check_text

pytestmark = pytest.mark.anyio

OWNER = 1000


async def ask(api: TelegramApi, method: str, token: str | None = None, **params: Any) -> Any:
    """Make a call as plainly as possible and return the whole answer."""
    async with aiohttp.ClientSession() as session:
        address = f"{api.base_url}/bot{token or api.token}/{method}"
        async with session.post(address, json=params) as response:
            return await response.json() | {"status": response.status}


async def refused(api: TelegramApi, method: str, **params: Any) -> str:
    """Make a call that must be refused and return the description."""
    answer = await ask(api, method, **params)
    assert not answer["ok"]
    assert answer["status"] == answer["error_code"]
    return answer["description"]


TEXTS = [
    ("", "message text is empty"),
    (None, "message text is empty"),
    (" \n\t ", "text must be non-empty"),
    ("x" * 4097, "message is too long"),
    ("\U0001f600" * 4097, "message is too long"),
    ("x" * 32769, "text is too long"),
]


@pytest.mark.parametrize(("text", "why"), TEXTS)
def test_texts_that_are_refused(text, why):
    """Empty, blank, more than 4,096 code points, more than 32,768 bytes."""
    with pytest.raises(Refusal, match=f"Bad Request: {why}"):
        check_text(text)


def test_texts_are_trimmed_at_the_right():
    """Code points count, and blanks at the end do not."""
    assert check_text("\U0001f600" * 4096 + " \n") == "\U0001f600" * 4096


def entity(kind: str = "bold", offset: int = 0, length: int = 1, **more: Any) -> dict[str, Any]:
    """Make an entity."""
    return {"type": kind, "offset": offset, "length": length, **more}


ENTITIES = [
    ("ab", entity(offset=1, length=2), "UTF-16 offset 1 ends after the end of the text"),
    ("😀", entity(length=1), "ends in a middle of a UTF-16 symbol"),
    ("😀b", entity(offset=1), "begins in a middle of a UTF-16 symbol"),
    ("ab", entity(offset=-1), "incorrect offset -1"),
    ("ab", entity(length=-1), "incorrect length -1"),
    ("ab", entity("loud"), "unsupported type 'loud'"),
    ("ab", entity(offset="x"), "must be of type Number"),
    ("ab", entity(colour="red"), "unknown field 'colour'"),
    ("ab", "bold", "expected an Object"),
]


@pytest.mark.parametrize(("text", "wrong", "why"), ENTITIES)
def test_entities_that_are_refused(text, wrong, why):
    """Ranges count UTF-16 units, lie inside and cut no symbol."""
    with pytest.raises(Refusal, match=why):
        check_entities(text, [wrong])


LINKS = [
    ("src/main.py#L12", "entity URL 'src/main.py#L12' is invalid: Wrong HTTP URL"),
    ("main", "Wrong HTTP URL"),
    ("http://localhost/x", "Wrong HTTP URL"),
    ("", "Wrong HTTP URL"),
    ("file:///etc/passwd", "Unsupported URL protocol"),
    ("javascript:alert(1.5)", "Wrong port number"),
    ("http://a b.c", "Wrong HTTP URL"),
]


@pytest.mark.parametrize(("url", "why"), LINKS)
def test_one_bad_link_fails_the_call(url, why):
    """A host without a dot, or a strange scheme, is refused."""
    with pytest.raises(Refusal) as caught:
        check_entities("x", [entity("text_link", url=url)])
    assert why in caught.value.description


@pytest.mark.parametrize(
    "url", ["https://a.b/c#d", "a.b", "tg://user?id=1", "http://me@a.b:80/?q=x y"]
)
def test_good_links_pass(url):
    """Web addresses and tg links are kept."""
    assert check_entities("x", [entity("text_link", url=url)])


def test_entities_are_kept_sorted_and_counted_ones_capped():
    """Empty ones vanish; of the counted kinds the 101st is dropped without a word."""
    text = "x" * 300
    code = [entity("code", n) for n in range(150)]
    bold = [entity("bold", n) for n in range(150)]
    kept = check_entities(text, [*reversed(bold), *code, entity(length=0)])
    assert sum(e["type"] == "code" for e in kept) == 100
    assert sum(e["type"] == "bold" for e in kept) == 150
    assert [e["offset"] for e in kept] == sorted(e["offset"] for e in kept)
    assert check_entities("x", None) == []
    with pytest.raises(Refusal, match="expected an Array"):
        check_entities("x", {"a": 1})


def keyboard(*buttons: Any) -> dict[str, Any]:
    """Make a keyboard of one row."""
    return {"inline_keyboard": [list(buttons)]}


KEYBOARDS = [
    (keyboard({"text": "a", "callback_data": "d" * 65}), "BUTTON_DATA_INVALID"),
    (keyboard({"text": "a", "callback_data": ""}), "BUTTON_DATA_INVALID"),
    (keyboard({"text": "a", "callback_data": "é" * 33}), "BUTTON_DATA_INVALID"),
    (keyboard({"text": "a"}), "Text buttons are unallowed"),
    (keyboard({"text": " ", "callback_data": "a"}), "button text must be non-empty"),
    (keyboard({"text": "a", "callback_data": "a", "url": "a.b"}), "exactly one"),
    (keyboard({"text": "a", "callback": "a"}), "unknown field 'callback'"),
    (keyboard("a"), "expected an Object"),
    ({"keyboard": []}, "inline_keyboard expected"),
    ("x", "object expected as reply markup"),
    (keyboard(*[{"text": "a", "callback_data": "a"}] * 101), "REPLY_MARKUP_TOO_LONG"),
]


@pytest.mark.parametrize(("markup", "why"), KEYBOARDS)
def test_keyboards_that_are_refused(markup, why):
    """Buttons carry 1 to 64 bytes and do exactly one thing."""
    with pytest.raises(Refusal, match=why):
        check_keyboard(markup)


def test_an_empty_keyboard_is_none():
    """No rows, or empty ones, mean no keyboard."""
    assert check_keyboard(None) is None
    assert check_keyboard({"inline_keyboard": [[]]}) is None


COMMANDS = [
    ([{"command": "Help", "description": "x"}], "BOT_COMMAND_INVALID"),
    ([{"command": "a-b", "description": "x"}], "BOT_COMMAND_INVALID"),
    ([{"command": "a" * 33, "description": "x"}], "BOT_COMMAND_INVALID"),
    ([{"command": "a", "description": ""}], "BOT_COMMAND_DESCRIPTION_INVALID"),
    ([{"command": "a", "description": "x" * 257}], "BOT_COMMAND_DESCRIPTION_INVALID"),
    ([{"command": "a", "description": "x"}] * 101, "BOT_COMMANDS_TOO_MUCH"),
    ("x", "expected an Array"),
    (["x"], "expected an Object"),
]


@pytest.mark.parametrize(("commands", "why"), COMMANDS)
def test_menus_that_are_refused(commands, why):
    """At most a hundred commands with plain names and short descriptions."""
    with pytest.raises(Refusal, match=why):
        check_commands(commands)


async def test_tokens_and_methods(api):
    """An unknown token is 401; a malformed one, an unknown method or path is 404."""
    assert (await ask(api, "getMe", token="1:x"))["description"] == "Unauthorized"
    assert (await ask(api, "getMe", token="nonsense"))["error_code"] == 404
    assert (await ask(api, "getTea"))["error_code"] == 404
    assert (await ask(api, "GETME"))["ok"]
    async with aiohttp.ClientSession() as session:
        for path in ("/", "/x", f"/file/bot{api.token}/nope", "/a/b/c"):
            async with session.get(api.base_url + path) as response:
                assert response.status == 404


async def test_slips_of_the_pen_are_refused(api):
    """Unknown names and values of a wrong kind do not pass silently."""
    assert "unknown parameter 'txt'" in await refused(api, "sendMessage", chat_id=OWNER, txt="x")
    assert "invalid timeout" in await refused(api, "getUpdates", timeout="soon")
    assert "can't parse entities JSON" in await refused(
        api, "sendMessage", chat_id=OWNER, text="x", entities="[{"
    )
    assert "expected a String" in await refused(api, "answerCallbackQuery", callback_query_id=5)
    assert "chat_id is empty" in await refused(api, "sendMessage", text="x")
    assert "chat not found" in await refused(api, "sendMessage", text="x", chat_id="@nobody")
    assert "'message_id' is required" in await refused(api, "deleteMessage", chat_id=OWNER)
    assert "Scope JSON" in await refused(api, "getMyCommands", scope={"a": 1})


async def test_targets_that_are_gone(api):
    """Each lost target has its own text."""
    said = api.owner.say("x")
    here = {"chat_id": OWNER, "text": "y"}
    gone = {"reply_parameters": {"message_id": 999}}
    assert "message to be replied not found" in await refused(api, "sendMessage", **here, **gone)
    assert "message thread not found" in await refused(
        api, "sendMessage", **here, message_thread_id=7
    )
    assert "message can't be edited" in await refused(
        api, "editMessageText", **here, message_id=said.id
    )
    assert "message to edit not found" in await refused(
        api, "editMessageReplyMarkup", chat_id=OWNER, message_id=999
    )
    assert "message to delete not found" in await refused(
        api, "deleteMessage", chat_id=OWNER, message_id=999
    )
    assert "message to react not found" in await refused(
        api, "setMessageReaction", chat_id=OWNER, message_id=999
    )
    assert "query is too old" in await refused(api, "answerCallbackQuery", callback_query_id="9")
    assert "invalid file_id" in await refused(api, "getFile", file_id="x")
    assert "no document" in await refused(api, "sendDocument", chat_id=OWNER, document="x")


async def test_other_limits(api):
    """Long toasts, long captions, strange reactions and actions are refused."""
    said = api.owner.say("x")
    assert "MESSAGE_TOO_LONG" in await refused(
        api, "answerCallbackQuery", callback_query_id="1", text="x" * 201
    )
    assert "caption is too long" in await refused(
        api, "sendDocument", chat_id=OWNER, document="x", caption="x" * 1025
    )
    place = {"chat_id": OWNER, "message_id": said.id}
    emoji = {"type": "emoji", "emoji": "👍"}
    assert "REACTIONS_TOO_MANY" in await refused(
        api, "setMessageReaction", **place, reaction=[emoji, emoji]
    )
    assert "REACTION_INVALID" in await refused(
        api, "setMessageReaction", **place, reaction=[{"type": "emoji", "emoji": "x"}]
    )
    assert "wrong parameter action" in await refused(
        api, "sendChatAction", chat_id=OWNER, action="sleeping"
    )
    big = api.owner.send_file("big", b"x" * (20 * 1024 * 1024 + 1))
    assert "file is too big" in await refused(api, "getFile", file_id=big.document.id)


async def test_an_edit_without_a_change_or_keyboard(api):
    """The same content is refused; a missing keyboard takes the old one away."""
    markup = keyboard({"text": "a", "callback_data": "b"})
    sent = (await ask(api, "sendMessage", chat_id=OWNER, text="x", reply_markup=markup))["result"]
    same = {"chat_id": OWNER, "message_id": sent["message_id"], "text": "x"}
    assert "message is not modified" in await refused(
        api, "editMessageText", **same, reply_markup=markup
    )
    assert "reply_markup" not in (await ask(api, "editMessageText", **same))["result"]
    same.pop("text")
    assert (await ask(api, "editMessageReplyMarkup", **same, reply_markup=markup))["ok"]
    assert "not modified" in await refused(
        api, "editMessageReplyMarkup", **same, reply_markup=markup
    )


async def test_flood_control_silences_one_chat(api):
    """Beyond its budget a chat gets 429 for all of retry_after; others go on."""
    now = [0.0]
    api.flood._clock = lambda: now[0]
    api.flood.enabled = True
    api.world.group(-100500)

    async def send(chat_id: int) -> Any:
        return await ask(api, "sendMessage", chat_id=chat_id, text="x")

    assert [(await send(OWNER))["ok"] for _ in range(6)] == [True] * 5 + [False]
    now[0] = 2.5
    answer = await send(OWNER)
    assert answer["error_code"] == 429
    assert answer["parameters"] == {"retry_after": 3}
    assert answer["description"] == "Too Many Requests: retry after 3"
    assert (await send(-100500))["ok"]
    assert (await ask(api, "sendChatAction", chat_id=OWNER, action="typing"))["ok"]
    now[0] = 5.5
    assert (await send(OWNER))["ok"]
    assert [(await send(-100500))["ok"] for _ in range(21)].count(False) == 1
    assert api.flood.refused == 3


async def test_long_polls_follow_the_servers_rules(api):
    """Sticky kinds, negative offsets, limits, the slowed repeat, the conflict and its pause."""
    for text in ("a", "b", "c"):
        api.owner.say(text)

    async def poll(**params: Any) -> list[str]:
        answer = await ask(api, "getUpdates", **params)
        return [update["message"]["text"] for update in answer["result"]]

    assert await poll(limit=2) == ["a", "b"]
    assert await poll(limit=2) == ["a"], "the same offset within half a second gets one"
    assert await poll(offset=-1) == ["c"]
    assert await poll(allowed_updates=["callback_query"], offset=735_000_004) == []
    api.owner.say("unwanted")
    assert api.updates.pending == []
    assert await poll(allowed_updates=[], offset=735_000_005) == []
    api.owner.say("wanted")
    assert await poll(offset=735_000_005) == ["wanted"]


async def test_the_older_poll_is_ended_and_later_ones_only_after_a_pause(api):
    """Conflicts come at most every three seconds, with the exact text."""
    answers: list[Any] = []

    async def poll() -> None:
        answers.append(await ask(api, "getUpdates", timeout=50))

    async with anyio.create_task_group() as tasks:
        for count in (1, 2, 3):
            tasks.start_soon(poll)
            await api.wait_call("getUpdates", count=count)
        await api.wait_for(lambda: any(call.code == 409 for call in api.calls.calls))
        api.owner.say("x")
        await api.wait_for(lambda: [call for call in api.calls.calls if call.code == 200])
        tasks.cancel_scope.cancel()
    assert answers[0]["description"] == (
        "Conflict: terminated by other getUpdates request; "
        "make sure that only one bot instance is running"
    )


async def test_waiting_for_something_that_never_comes_lists_the_calls(api):
    """The assertion shows what was asked of the server instead."""
    await ask(api, "sendMessage", chat_id=OWNER, text="x")
    with pytest.raises(AssertionError, match=r"sendMessage .*'text': 'x'.* -> 200"):
        await api.wait_message(lambda message: message.text == "y", timeout_s=0.01)
    with pytest.raises(AssertionError, match="no button 'Go'"):
        api.owner.press(api.bot_messages()[0], "Go")


async def test_slow_answers_come_late_but_come(api):
    """A slow call is carried out."""
    api.faults.add("slow", seconds=0.01, chat_id=OWNER)
    assert (await ask(api, "getMe"))["ok"]
    assert (await ask(api, "sendMessage", chat_id=OWNER, text="x"))["ok"]
    api.faults.add("hang_after", "sendMessage")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_lost, api)
        await api.wait_message(lambda message: message.text == "lost")
        api.faults.clear()


async def _lost(api: TelegramApi) -> None:
    with pytest.raises(aiohttp.ClientError):
        await ask(api, "sendMessage", chat_id=OWNER, text="lost")
