"""Updates become the chat's words."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.chat import (
    ButtonPressed,
    ChatMigrated,
    ChatUpdate,
    MessageEdited,
    MessageReceived,
    RepliedTo,
    Scope,
)
from takopi.core.update_keys import update_keys
from takopi.telegram.api import BotIdentity
from takopi.telegram.updates import translate
from takopi.telegram.wire import Update

BOT = BotIdentity(42, "Takopi_Bot")
ADA = {"id": 7, "is_bot": False, "first_name": "Ada"}
PRIVATE = {"id": 7, "type": "private"}
GROUP = {"id": -1005, "type": "supergroup"}


def update(**content: object) -> ChatUpdate | None:
    """Translate an update with this content."""
    raw = msgspec.json.encode({"update_id": 9, **content})
    return translate(msgspec.json.decode(raw, type=Update), BOT)


def message(text: str | None = "hi", chat: dict[str, object] = PRIVATE, **more: object):
    """Translate a message."""
    body = {"message_id": 3, "date": 1, "chat": chat, "from": ADA, "text": text, **more}
    return update(message={key: value for key, value in body.items() if value is not None})


def test_a_private_message():
    """A person's message carries its place, its person and its text."""
    assert message() == MessageReceived(
        update_id=9,
        scope=Scope("telegram", 7),
        chat_kind="private",
        message_id=3,
        sender_id=7,
        text="hi",
        date=1.0,
    )


@pytest.mark.parametrize("kind", ["group", "supergroup"])
def test_groups_are_groups(kind):
    """Both kinds of groups are one kind for access and budgets."""
    found = message(chat={"id": -5, "type": kind})
    assert (found.chat_kind, found.scope) == ("group", Scope("telegram", -5))


def test_a_caption_is_text():
    """A picture's caption is what the person said."""
    assert message(None, caption="look").text == "look"


@pytest.mark.parametrize("kind", ["voice", "photo", "document", "sticker", "video_note", "poll"])
def test_what_has_no_words_arrives_as_such_from_a_private_chat(kind):
    """Whoever speaks into the phone is told that only text is read; silence would be a riddle."""
    found = message(None, **{kind: {"file_id": "x"}})
    assert isinstance(found, MessageReceived)
    assert found.text == ""


@pytest.mark.parametrize(
    "content",
    [
        {"new_chat_title": "x"},
        {"pinned_message": {"message_id": 1, "chat": GROUP, "date": 0}},
        {"photo": [], "chat": GROUP},
        {"caption": ""},
    ],
)
def test_a_message_without_words_is_nothing(content):
    """A service message is no prompt, nor is what people show each other in a group."""
    assert message(None, **content) is None


@pytest.mark.parametrize("chat", [PRIVATE, GROUP])
def test_every_part_of_an_album_arrives(chat):
    """The caption stands in one part; whoever gathers an album waits for all of them."""
    bare = message(None, chat=chat, photo=[], media_group_id="5")
    assert (bare.text, bare.album) == ("", "5")
    named = message(None, chat=chat, photo=[], media_group_id="5", caption="look")
    assert (named.text, named.album) == ("look", "5")
    assert message().album is None


def edited(text: str | None = "hi again", chat: dict[str, object] = PRIVATE, **more: object):
    """Translate an edit."""
    sent = {"message_id": 3, "date": 1, "edit_date": 5, "chat": chat, "from": ADA, "text": text}
    body = {key: value for key, value in {**sent, **more}.items() if value is not None}
    return update(edited_message=body)


def test_an_edit():
    """An edit carries the whole new text and when it was made."""
    assert edited() == MessageEdited(
        update_id=9,
        scope=Scope("telegram", 7),
        chat_kind="private",
        message_id=3,
        sender_id=7,
        text="hi again",
        edited_at=5.0,
    )
    assert edited(None, caption="look").text == "look"
    assert edited("/codex@takopi_bot fix it").text == "/codex fix it"
    topic = edited(chat=GROUP, message_thread_id=50, is_topic_message=True)
    assert topic.scope == Scope("telegram", -1005, 50)
    assert edited(chat=GROUP, sender_chat=GROUP).sender_id is None


@pytest.mark.parametrize(
    "more",
    [
        {"edit_date": None},
        {"text": None},
        {"text": "/x@other_bot hi"},
        {"chat": {"id": -1, "type": "channel"}},
    ],
)
def test_an_edit_that_says_nothing_new_to_this_bot_is_nothing(more):
    """The server also tells of edits that no person made, and a place may have moved on a map."""
    assert edited(**more) is None


def test_a_group_that_becomes_a_supergroup_is_told_once():
    """Both chats' service messages mean the same, and the second one is a repeat of the first."""
    group = {"id": -77, "type": "group"}
    there = message(None, chat=group, migrate_to_chat_id=-1005)
    here = message(None, chat=GROUP, migrate_from_chat_id=-77)
    for found in (there, here):
        assert isinstance(found, ChatMigrated)
        assert (found.scope, found.new_chat_id) == (Scope("telegram", -77), -1005)
        assert found.sender_id is None
    assert update_keys(there)[1] == update_keys(here)[1]


def test_channels_and_unknown_kinds_are_nothing():
    """What takopi does not serve is not translated."""
    assert message(chat={"id": -1, "type": "channel"}) is None
    assert update(poll={"id": "1"}) is None


def test_only_a_topic_has_a_thread():
    """Replies in plain groups carry a thread id as well, and are no topic."""
    assert message(chat=GROUP, message_thread_id=50).scope.thread_id is None
    topic = message(chat=GROUP, message_thread_id=50, is_topic_message=True)
    assert topic.scope.thread_id == 50


@pytest.mark.parametrize(
    "more",
    [
        {"sender_chat": GROUP},
        {"is_automatic_forward": True},
        {"from": {"id": 1087968824, "is_bot": True, "first_name": "G"}, "sender_chat": GROUP},
        {"from": None},
    ],
)
def test_who_writes_as_a_chat_is_nobody(more):
    """Channels, automatic forwards and anonymous admins have no person behind them."""
    assert message(chat=GROUP, **more).sender_id is None


def test_a_forward_is_content():
    """Forwarded text is marked, hidden senders included."""
    origin = {"type": "hidden_user", "sender_user_name": "x", "date": 1}
    assert message(forward_origin=origin).forwarded


def reply(sender: dict[str, object], **more: object) -> dict[str, object]:
    """Make the message that was replied to."""
    return {"message_id": 2, "date": 1, "chat": PRIVATE, "from": sender, **more}


def test_a_reply_knows_whether_this_bot_wrote_it():
    """Only this very bot's own text may name a session."""
    mine = {"id": 42, "is_bot": True, "first_name": "t"}
    other = {"id": 43, "is_bot": True, "first_name": "t"}
    assert message(reply_to_message=reply(mine, text="a")).reply == RepliedTo(2, "a", True)
    assert message(reply_to_message=reply(other, text="a")).reply == RepliedTo(2, "a", False)
    captioned = message(reply_to_message=reply(mine, caption="c")).reply
    assert captioned == RepliedTo(2, "c", True)
    assert message(reply_to_message=reply(mine)).reply == RepliedTo(2, "", True)
    forwarded = reply(mine, text="a", forward_origin={"type": "user"})
    assert not message(reply_to_message=forwarded).reply.from_this_bot


def test_the_root_of_a_topic_is_no_reply():
    """Every message of a topic points at the topic's first one; that is nobody's choice."""
    root = reply(ADA, forum_topic_created={"name": "x", "icon_color": 1})
    topic = {"chat": GROUP, "message_thread_id": 2, "is_topic_message": True}
    assert message(reply_to_message=root, **topic).reply is None
    assert message(reply_to_message=reply(ADA), **topic).reply is None
    real = {**reply(ADA, text="q"), "message_id": 8}
    assert message(reply_to_message=real, **topic).reply == RepliedTo(8, "q")


@pytest.mark.parametrize(
    ("said", "text", "to_other"),
    [
        ("/codex@takopi_bot fix it", "/codex fix it", False),
        ("/codex@TAKOPI_BOT", "/codex", False),
        ("/cancel@takopi_bot\nnow", "/cancel\nnow", False),
        ("/x@other_bot hi", "/x@other_bot hi", True),
        ("/x@other_bot", "/x@other_bot", True),
        ("hi /x@other_bot", "hi /x@other_bot", False),
        ("//x@other_bot", "//x@other_bot", False),
        ("/srv/a@home.org/b", "/srv/a@home.org/b", False),
        ("/x@home.org", "/x@home.org", False),
        ("/x", "/x", False),
    ],
)
def test_commands_know_whom_they_mean(said, text, to_other):
    """This bot's name goes away, another bot's makes the message not ours."""
    found = message(said)
    assert (found.text, found.addressed_to_other) == (text, to_other)


def query(**more: object) -> ButtonPressed | None:
    """Translate a press."""
    shown = {"message_id": 3, "date": 1, "chat": GROUP}
    body = {"id": "p1", "from": ADA, "message": shown, "data": "c:1", **more}
    return update(callback_query={key: value for key, value in body.items() if value is not None})


def test_a_press():
    """A press carries who pressed what, where."""
    assert query() == ButtonPressed(
        update_id=9,
        scope=Scope("telegram", -1005),
        chat_kind="group",
        press_id="p1",
        message_id=3,
        sender_id=7,
        data="c:1",
    )


def test_a_press_in_a_topic_keeps_the_topic():
    """The answer goes where the button is."""
    shown = {"message_id": 3, "date": 1, "chat": GROUP, "message_thread_id": 5}
    assert query(message={**shown, "is_topic_message": True}).scope.thread_id == 5


@pytest.mark.parametrize(
    "more",
    [
        {"message": None},
        {"data": None},
        {"message": {"message_id": 1, "chat": {"id": -1, "type": "channel"}}},
    ],
)
def test_presses_that_takopi_never_made_are_nothing(more):
    """Inline messages, games and channels have no scope."""
    assert query(**more) is None


plain_values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6)
json_values = st.deferred(
    lambda: (
        plain_values
        | st.lists(json_values, max_size=3)
        | st.dictionaries(st.text(max_size=8), json_values, max_size=3)
    )
)


@pytest.mark.timeout(600)
@given(
    st.dictionaries(st.text(min_size=1, max_size=12), json_values, max_size=4), st.text(max_size=20)
)
def test_unknown_fields_never_hide_a_message(extra, text):
    """Whatever Telegram adds to a message, its text arrives."""
    known = {"message_id", "chat", "from", "text", "caption"} | set(Update.__struct_fields__)
    odd = {key: value for key, value in extra.items() if key not in known}
    odd = {key: value for key, value in odd.items() if key not in _read_fields()}
    found = message(text, **odd)
    assert (found is None) == (not text)


def _read_fields() -> set[str]:
    from takopi.telegram.wire import Message

    return set(Message.__struct_encode_fields__)
