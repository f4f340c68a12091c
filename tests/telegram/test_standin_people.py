"""The stand-in's people act as clients do, and their messages look as Telegram's do."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.telegram_api import TelegramApi
from fakes.telegram_api.people import LONGEST, split_like_a_client
from takopi.core.chat import ButtonPressed, ChatMigrated, MessageEdited, MessageReceived
from takopi.core.richtext import utf16_len

pytestmark = pytest.mark.anyio


async def test_an_edit_is_told_with_its_date(api, transport):
    """The whole new text comes, under the same number, with the time of the edit."""
    said = api.owner.say("one")
    api.owner.edit(said, "two", edit_date=1_700_000_000)
    polls = transport.updates()
    first, second = await anext(polls)
    assert isinstance(second, MessageEdited)
    assert (first.message_id, second.message_id, second.text) == (said.id, said.id, "two")
    assert second.edited_at == 1_700_000_000
    assert (said.history, said.edits) == (["one"], 1)
    api.owner.edit(said, "three")
    (third,) = await anext(polls)
    assert third.edited_at == pytest.approx(time.time(), abs=60)


async def test_an_album_is_messages_that_share_an_id(api, transport):
    """Each picture is a message; the words stand in one of them."""
    api.owner.album(["", "look", ""])
    api.owner.album(["another"])
    polls = transport.updates()
    batch = await anext(polls)
    assert [update.text for update in batch] == ["", "look", "", "another"]
    albums = [update.album for update in batch]
    assert albums[0] == albums[1] == albums[2] != albums[3]
    assert all(albums)
    part = api.owner.album(["before"])[0]
    api.owner.edit(part, "after")
    *_, edited = await anext(polls)
    assert edited.text == "after"


async def test_a_forward_says_where_it_comes_from(api, transport):
    """The words are another's, hidden or not; the person who forwards is the sender."""
    said = api.person(2000, "Bob").say("mine")
    for message in (
        api.owner.forward(said),
        api.owner.forward("hers"),
        api.owner.forward("x", hidden=True),
    ):
        assert message.sender is api.owner.user
        assert message.json()["forward_origin"]["date"] <= message.date
    batch = await anext(transport.updates())
    assert [update.text for update in batch[1:]] == ["mine", "hers", "x"]
    assert [update.forwarded for update in batch] == [False, True, True, True]
    kinds = [m.extra["forward_origin"]["type"] for m in list(api.owner.chat.messages.values())]
    assert kinds == ["user", "user", "hidden_user"]


async def test_a_long_paste_comes_in_parts(api, transport):
    """A client splits what is longer than one message holds."""
    api.owner.paste("x" * 5000)
    first, second = await anext(transport.updates())
    assert (len(first.text), len(second.text)) == (4096, 904)


@given(st.text(st.sampled_from("ab \n\U0001f600"), max_size=60), st.booleans())
def test_splitting_loses_only_blanks_at_the_borders(text, at_words):
    """Parts are as long as a message holds, cut no symbol, and say all that was said."""
    long = text * 300
    parts = split_like_a_client(long, at_words)
    assert all(0 < utf16_len(part) <= LONGEST for part in parts)
    assert "".join("".join(parts).split()) == "".join(long.split())


def test_clients_that_split_where_a_word_ends():
    """The first part ends with a whole line or word when one ends near the limit."""
    words = "word " * 2000
    assert all(part.endswith("word") for part in split_like_a_client(words, at_words=True))
    assert split_like_a_client("word " * 820 + "x" * 9)[0].endswith("w")
    lines = ("y" * 3000 + "\n") * 2
    assert split_like_a_client(lines, at_words=True) == ["y" * 3000] * 2
    assert len(split_like_a_client("z" * 4097, at_words=True)[0]) == 4096


async def test_a_group_becomes_a_supergroup(api, transport):
    """Both chats tell of it, and the old one refuses from then on."""
    api.world.group(-77)
    api.owner.upgrade(-77, -100200)
    batch = await anext(transport.updates())
    assert [type(update) for update in batch] == [ChatMigrated, ChatMigrated]
    assert {(u.scope.chat_id, u.new_chat_id) for u in batch} == {(-77, -100200)}
    assert api.world.chats[-77].migrated_to == -100200


async def test_a_press_on_a_message_that_is_gone(api, transport):
    """Old clients can press what was deleted; the server passes it on."""
    said = api.owner.say("x")
    api.owner.delete(said)
    api.owner.press_data(said, "c:1")
    *_, press = await anext(transport.updates())
    assert isinstance(press, ButtonPressed)


async def test_numbers_and_dates_are_those_of_telegram(api: TelegramApi, transport):
    """Supergroups count their messages from one; all other chats share a counter. Dates are whole
    seconds.
    """
    ada, bob = api.owner, api.person(2000)
    forum, other = api.world.group(-100500, forum=True), api.world.group(-100600)
    basic = api.world.group(-77)
    assert [ada.say("a").id, bob.say("b").id, ada.say("c", basic.id).id] == [101, 102, 103]
    assert [ada.say("d", forum.id).id, ada.say("e", other.id).id] == [2, 2]
    assert api.world.topic(forum.id, "work") == 3
    batch = await anext(transport.updates())
    assert all(isinstance(update, MessageReceived) for update in batch)
    assert all(update.date == int(update.date) for update in batch)
    assert all(abs(update.date - time.time()) < 60 for update in batch)
