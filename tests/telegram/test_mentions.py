"""Who speaks to the bot by its name is heard, and the name is no part of the prompt."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.richtext import utf16_len
from takopi.telegram.api import BotIdentity
from takopi.telegram.mentions import without_mention
from takopi.telegram.updates import translate
from takopi.telegram.wire import MessageEntity, Update, User

BOT = BotIdentity(42, "Takopi_Bot")


def entity(text: str, name: str, kind: str = "mention", user: int | None = None) -> MessageEntity:
    """Mark a name in a text."""
    offset = utf16_len(text[: text.index(name)])
    known = None if user is None else User(user)
    return MessageEntity(kind, offset, utf16_len(name), known)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("@takopi_bot fix it", "fix it"),
        ("@Takopi_Bot, fix it", "fix it"),
        ("@takopi_bot: /claude fix it", "/claude fix it"),
        ("fix it @takopi_bot", "fix it"),
        ("fix it, @TAKOPI_BOT ", "fix it"),
        ("ask @takopi_bot to fix it", "ask @takopi_bot to fix it"),
        ("😀 @takopi_bot", "😀"),
        ("@takopi_bot 😀 x", "😀 x"),
        ("@takopi_bot", ""),
    ],
)
def test_the_name_is_taken_off_both_ends(text, kept) -> None:
    at = text.lower().index("@takopi_bot")
    name = text[at : at + len("@takopi_bot")]
    assert without_mention(text, [entity(text, name)], BOT) == (kept, True)


def test_the_name_at_both_ends_at_once() -> None:
    text = "@takopi_bot fix it @takopi_bot"
    last = MessageEntity("mention", 19, 11)
    assert without_mention(text, [entity(text, "@takopi_bot"), last], BOT) == ("fix it", True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@other_bot fix it", entity("@other_bot fix it", "@other_bot")),
        ("@takopi_bot2 fix", entity("@takopi_bot2 fix", "@takopi_bot2")),
        ("Ada fix it", entity("Ada fix it", "Ada", "text_mention", 7)),
        ("Ada fix it", entity("Ada fix it", "Ada", "text_mention")),
        ("`@takopi_bot`", entity("`@takopi_bot`", "@takopi_bot", "code")),
    ],
)
def test_other_names_and_names_in_code_are_none(text, found) -> None:
    assert without_mention(text, [found], BOT) == (text, False)


def test_a_bot_may_be_named_without_its_username() -> None:
    found = entity("Tako fix it", "Tako", "text_mention", BOT.id)
    assert without_mention("Tako fix it", [found], BOT) == ("fix it", True)


@given(text=st.text(max_size=60), place=st.integers(-5, 99), length=st.integers(-5, 99))
def test_ranges_that_cannot_be_break_nothing(text, place, length) -> None:
    """Whatever a server says about where a name stands."""
    found = MessageEntity("text_mention", place, length, User(BOT.id))
    said, mentioned = without_mention(text, [found], BOT)
    assert mentioned == (place >= 0 and length > 0)
    assert said == text or mentioned
    assert utf16_len(said) <= utf16_len(text)


def received(**content: object):
    """Translate a message of a group."""
    body = {
        "message_id": 3,
        "date": 1,
        "chat": {"id": -5, "type": "supergroup"},
        "from": {"id": 7, "is_bot": False, "first_name": "Ada"},
        **content,
    }
    kind = "edited_message" if "edit_date" in content else "message"
    raw = msgspec.json.encode({"update_id": 9, kind: body})
    return translate(msgspec.json.decode(raw, type=Update), BOT)


NAMED = [{"type": "mention", "offset": 0, "length": 11}]


def test_messages_captions_and_edits_lose_the_name() -> None:
    found = received(text="@takopi_bot hi", entities=NAMED)
    assert (found.text, found.mentioned) == ("hi", True)
    found = received(caption="@takopi_bot hi", caption_entities=NAMED, media_group_id="1")
    assert (found.text, found.mentioned) == ("hi", True)
    found = received(text="@takopi_bot hi", entities=NAMED, edit_date=5)
    assert found.text == "hi"
    assert not received(text="hi").mentioned


def test_a_command_with_the_name_names_the_bot() -> None:
    found = received(text="/claude@takopi_bot hi")
    assert (found.text, found.mentioned) == ("/claude hi", True)


def test_forwarded_words_speak_to_somebody_else() -> None:
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Bob"}
    found = received(text="@takopi_bot hi", entities=NAMED, forward_origin=origin)
    assert (found.text, found.mentioned) == ("@takopi_bot hi", False)
