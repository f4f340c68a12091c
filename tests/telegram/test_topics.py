"""Topics at Telegram: made, named, closed, and refused with what to do."""

import pytest

from fakes.telegram_api import OWNER_ID, TelegramApi
from takopi import errors
from takopi.core.chat import ChatMessage, MessageReceived, Scope, TopicChanged
from takopi.core.richtext import plain
from takopi.core.update_keys import update_keys
from takopi.telegram.topics import link_of
from takopi.telegram.transport import TelegramTransport
from takopi.transport import SendOptions

pytestmark = pytest.mark.anyio

FORUM = -1009000


def scope(chat: int = FORUM, thread: int | None = None) -> Scope:
    """Name a place."""
    return Scope("telegram", chat, thread)


async def test_a_topic_is_made_and_renamed_in_a_forum(
    api: TelegramApi, transport: TelegramTransport
) -> None:
    """And naming it as it is called already is no error."""
    chat = api.world.group(FORUM, forum=True)
    thread = await transport.create_topic(scope(), "zed @dev")
    await transport.rename_topic(scope(thread=thread), "zed @main")
    await transport.rename_topic(scope(thread=thread), "zed @main")
    assert chat.topics == {thread: "zed @main"}
    sent = await transport.send(scope(thread=thread), ChatMessage(plain("hi")), SendOptions())
    assert chat.messages[int(sent.message_id)].thread_id == thread


async def test_a_private_chat_has_topics_once_the_bot_is_threaded(
    api: TelegramApi, transport: TelegramTransport
) -> None:
    """Until then the person hears how to turn them on."""
    with pytest.raises(errors.TopicsUnavailable, match=r"@BotFather.*Threaded Mode"):
        await transport.create_topic(scope(OWNER_ID), "zed")
    api.world.threaded = True
    thread = await transport.create_topic(scope(OWNER_ID), "zed")
    assert api.owner.chat.topics == {thread: "zed"}


@pytest.mark.parametrize("forum", [True, False])
async def test_a_group_without_topics_or_rights_says_what_to_do(
    api: TelegramApi, transport: TelegramTransport, forum: bool
) -> None:
    chat = api.world.group(FORUM, forum=forum)
    chat.bot_manages = False
    with pytest.raises(errors.TopicsUnavailable, match=r"turn on Topics.*can_manage_topics"):
        await transport.create_topic(scope(), "zed")


async def test_rights_that_the_server_names_in_its_own_word_are_rights(
    api: TelegramApi, transport: TelegramTransport
) -> None:
    api.world.group(FORUM, forum=True)
    refused = "Bad Request: CHAT_ADMIN_REQUIRED"
    api.faults.add("status", "createForumTopic", code=400, description=refused)
    with pytest.raises(errors.TopicsUnavailable, match="can_manage_topics"):
        await transport.create_topic(scope(), "zed")


async def test_other_refusals_stay_what_they_are(
    api: TelegramApi, transport: TelegramTransport
) -> None:
    """A topic that is gone is lost, and a chat that is gone too."""
    api.world.group(FORUM, forum=True)
    with pytest.raises(errors.ThreadLost):
        await transport.rename_topic(scope(thread=77), "zed")
    with pytest.raises(errors.ChatLost):
        await transport.create_topic(scope(-100404), "zed")


async def test_a_closed_topic_is_not_a_lost_one(
    api: TelegramApi, transport: TelegramTransport
) -> None:
    """The bot may write there as its maker or as an admin; else only once it is open again."""
    chat = api.world.group(FORUM, forum=True)
    thread = api.world.topic(FORUM, "work", api.owner.user)
    chat.closed.add(thread)
    await transport.send(scope(thread=thread), ChatMessage(plain("hi")), SendOptions())
    chat.bot_manages = False
    with pytest.raises(errors.ThreadClosed):
        await transport.send(scope(thread=thread), ChatMessage(plain("hi")), SendOptions())


async def test_what_people_do_with_topics_arrives(
    api: TelegramApi, transport: TelegramTransport
) -> None:
    """Each change is one update, named by its service message."""
    api.world.group(FORUM, forum=True)
    thread = api.owner.make_topic(FORUM, "New topic", implicit=True)
    api.owner.change_topic(FORUM, thread, "edited", "work")
    api.owner.change_topic(FORUM, thread, "edited")
    api.owner.change_topic(FORUM, thread, "closed")
    api.owner.change_topic(FORUM, thread, "reopened")
    api.owner.say("hi", FORUM, thread_id=thread)
    (*changes, said) = await anext(transport.updates())
    assert isinstance(said, MessageReceived)
    assert (said.reply, said.scope.thread_id) == (None, thread)
    assert [type(change) for change in changes] == [TopicChanged] * 4
    told = [(change.what, change.name, change.implicit) for change in changes]
    assert told == [
        ("created", "New topic", True),
        ("renamed", "work", False),
        ("closed", "", False),
        ("reopened", "", False),
    ]
    assert {(change.scope, change.sender_id) for change in changes} == {
        (scope(thread=thread), OWNER_ID)
    }
    assert len({key for change in changes for key in update_keys(change)}) == 8


def test_supergroups_alone_have_addresses_of_topics() -> None:
    assert link_of(Scope("telegram", -1001234, 7)) == "https://t.me/c/1234/7"
    assert link_of(Scope("telegram", -1001234)) is None
    assert link_of(Scope("telegram", 1000, 7)) is None
