"""The stand-in, driven by a client nobody here wrote: pyTelegramBotAPI must understand it all."""

from collections.abc import AsyncIterator

import pytest
from aiogram import methods
from telebot import asyncio_helper, types
from telebot.async_telebot import AsyncTeleBot

from fakes.telegram_api import TelegramApi
from fakes.telegram_api.params import METHODS

pytestmark = pytest.mark.anyio

OWNER = 1000


@pytest.fixture
async def bot(api: TelegramApi, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncTeleBot]:
    """Point the foreign client at the stand-in."""
    monkeypatch.setattr(asyncio_helper, "API_URL", api.base_url + "/bot{0}/{1}")
    monkeypatch.setattr(asyncio_helper, "FILE_URL", api.base_url + "/file/bot{0}/{1}")
    client = AsyncTeleBot(api.token)
    yield client
    await client.close_session()


async def test_it_learns_who_the_bot_is(bot):
    """getMe parses."""
    me = await bot.get_me()
    assert (me.id, me.username, me.is_bot) == (123456789, "takopi_test_bot", True)


async def test_it_reads_updates_and_confirms_them(api, bot):
    """Messages, commands, replies and presses parse; an offset confirms."""
    said = api.owner.say("/help me")
    api.owner.say("a reply", reply_to=said)
    first, second = await bot.get_updates(timeout=1, allowed_updates=["message"])
    assert (first.message.text, first.message.chat.type) == ("/help me", "private")
    assert first.message.entities[0].type == "bot_command"
    assert second.message.reply_to_message.message_id == said.id
    api.updates.throttle = False
    assert len(await bot.get_updates(offset=second.update_id, timeout=0)) == 1
    assert api.updates.pending == [second.update_id]


async def test_it_sends_edits_and_deletes(api, bot):
    """A message with formatting and buttons comes back as it was sent."""
    said = api.owner.say("x")
    markup = types.InlineKeyboardMarkup()
    markup.add(types.InlineKeyboardButton("Cancel", callback_data="c:1"))
    sent = await bot.send_message(
        OWNER,
        "bold text",
        entities=[types.MessageEntity("bold", 0, 4)],
        reply_markup=markup,
        reply_parameters=types.ReplyParameters(said.id),
        disable_notification=True,
    )
    assert (sent.text, sent.entities[0].type) == ("bold text", "bold")
    assert sent.reply_to_message.message_id == said.id
    assert sent.reply_markup.keyboard[0][0].callback_data == "c:1"
    edited = await bot.edit_message_text("plain", OWNER, sent.message_id)
    assert (edited.text, edited.reply_markup) == ("plain", None)
    assert edited.edit_date
    assert await bot.delete_message(OWNER, sent.message_id)
    with pytest.raises(asyncio_helper.ApiTelegramException, match="message to edit not found"):
        await bot.edit_message_text("again", OWNER, sent.message_id)


async def test_it_answers_presses(api, bot):
    """A press parses with its message and data, and can be answered."""
    markup = types.InlineKeyboardMarkup()
    markup.add(types.InlineKeyboardButton("Go", callback_data="g"))
    sent = await bot.send_message(OWNER, "x", reply_markup=markup)
    press = api.owner.press(api.owner.chat.messages[sent.message_id], "Go")
    (update,) = await bot.get_updates(timeout=1)
    query = update.callback_query
    assert (query.id, query.data, query.message.message_id) == (press, "g", sent.message_id)
    assert await bot.answer_callback_query(query.id, "ok")
    assert api.world.presses[press]


async def test_it_sends_and_fetches_files(api, bot):
    """A document goes up by multipart and comes down by its path; a person's file as well."""
    sent = await bot.send_document(
        OWNER, types.InputFile(_file(b"content")), caption="c", visible_file_name="a.md"
    )
    assert (sent.document.file_name, sent.document.file_size, sent.caption) == ("a.md", 7, "c")
    file = await bot.get_file(sent.document.file_id)
    assert await bot.download_file(file.file_path) == b"content"
    api.owner.send_file("notes.txt", b"12345", "look")
    (update,) = await bot.get_updates(timeout=1)
    file = await bot.get_file(update.message.document.file_id)
    assert await bot.download_file(file.file_path) == b"12345"


def _file(content: bytes):
    from io import BytesIO

    return BytesIO(content)


async def test_it_keeps_the_menu_by_scope(bot):
    """Commands are kept by scope and language, and can be taken back."""
    await bot.set_my_commands([types.BotCommand("help", "what I can do")])
    await bot.set_my_commands(
        [types.BotCommand("mine", "x")], scope=types.BotCommandScopeChat(OWNER)
    )
    assert [c.command for c in await bot.get_my_commands(None, None)] == ["help"]
    scoped = await bot.get_my_commands(types.BotCommandScopeChat(OWNER), None)
    assert [c.command for c in scoped] == ["mine"]
    assert await bot.delete_my_commands()
    assert await bot.get_my_commands(None, None) == []


async def test_it_acts_reacts_and_looks(api, bot):
    """Chat actions, reactions, chats and the webhook's state parse."""
    said = api.owner.say("x")
    assert await bot.send_chat_action(OWNER, "typing")
    assert api.owner.chat.actions == ["typing"]
    assert await bot.set_message_reaction(OWNER, said.id, [types.ReactionTypeEmoji("👀")])
    assert api.owner.chat.messages[said.id].reactions == ["👀"]
    assert (await bot.get_chat(OWNER)).type == "private"
    assert (await bot.get_webhook_info()).pending_update_count == 0
    assert await bot.delete_webhook()


async def test_it_sees_topics(api, bot):
    """Messages of a topic carry it, and answers go there."""
    chat = api.world.group(-100500, forum=True)
    topic = api.world.topic(chat.id, "work")
    api.owner.say("in the topic", chat.id, thread_id=topic)
    (update,) = await bot.get_updates(timeout=1)
    assert update.message.is_topic_message
    assert update.message.message_thread_id == topic
    assert update.message.reply_to_message.forum_topic_created.name == "work"
    sent = await bot.send_message(chat.id, "here", message_thread_id=topic)
    assert sent.message_thread_id == topic


async def test_it_understands_refusals(api, bot):
    """Errors arrive as the client's own exceptions, with code and text."""
    with pytest.raises(asyncio_helper.ApiTelegramException) as caught:
        await bot.send_message(404404, "x")
    assert (caught.value.error_code, caught.value.description) == (
        400,
        "Bad Request: chat not found",
    )
    api.faults.add("flood", "sendMessage", seconds=7)
    with pytest.raises(asyncio_helper.ApiTelegramException) as caught:
        await bot.send_message(OWNER, "x")
    assert caught.value.result_json["parameters"] == {"retry_after": 7}


@pytest.mark.parametrize("method", sorted(METHODS))
async def test_parameters_are_the_documented_ones(method):
    """Every parameter the stand-in accepts is one that the generated client knows."""
    model = getattr(methods, method[0].upper() + method[1:])
    assert METHODS[method].keys() <= model.model_fields.keys()
