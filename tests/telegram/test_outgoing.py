"""Whatever well-formed message is made, its parameters pass both rule books."""

import pytest
from aiogram import Bot, methods
from hypothesis import given
from hypothesis import strategies as st
from teremok.validation import validate_method

from fakes.telegram_api import TOKEN
from fakes.telegram_api.rules import check_entities, check_keyboard, check_text
from takopi.core.chat import Button, ChatMessage, Scope
from takopi.core.richtext import Entity, RichText, utf16_len
from takopi.telegram.outgoing import edit_params, send_params
from takopi.transport import MessageRef, SendOptions

BOT = Bot(TOKEN)
KINDS = ["bold", "italic", "strikethrough", "code", "pre", "blockquote", "text_link"]
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@st.composite
def rich_texts(draw: st.DrawFn) -> RichText:
    """Make text of pieces, some of them marked; lone surrogates included."""
    text, entities = "x", []
    for piece in draw(st.lists(words | st.just("\ud83d") | st.just("😀"), max_size=6)):
        if draw(st.booleans()):
            kind = draw(st.sampled_from(KINDS))
            url = "https://a.b/c" if kind == "text_link" else None
            language = "python" if kind == "pre" else None
            entities.append(Entity(kind, utf16_len(text), utf16_len(piece), url, language))
        text += piece + "."
    return RichText(text, tuple(entities))


labels = st.text(min_size=1, max_size=8).filter(str.strip)
buttons = st.builds(Button, labels, st.text("abc:1é", min_size=1, max_size=30))
rows = st.lists(st.lists(buttons, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple)


@pytest.mark.timeout(600)
@given(st.builds(ChatMessage, rich_texts(), rows), st.none() | st.integers(2, 9), st.booleans())
def test_every_message_passes_both_rule_books(message, thread_id, notify):
    """Our own rules and those of teremok take what is sent and what is edited."""
    options = SendOptions(reply_to=MessageRef(5, 7), notify=notify, thread_id=thread_id)
    sent = send_params(Scope("telegram", 5), message, options)
    edited = edit_params(MessageRef("5", "7"), message)
    for params, model in ((sent, methods.SendMessage), (edited, methods.EditMessageText)):
        given_params = {name: value for name, value in params.items() if value is not None}
        assert given_params.keys() <= model.model_fields.keys()
        text = check_text(given_params["text"])
        kept = check_entities(text, given_params.get("entities"))
        assert len(kept) == len(message.body.entities)
        assert check_keyboard(given_params.get("reply_markup")) is not None or not message.buttons
        validate_method(BOT, model(**given_params))
        given_params["text"].encode()
