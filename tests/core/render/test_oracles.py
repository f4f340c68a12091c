"""Others' judgement: a rule checker and a Markdown converter that nobody here wrote."""

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.render.documents import DOCUMENTS, MANY_MESSAGES
from core.render.rules import squeezed
from takopi.core.chat import ChatMessage
from takopi.core.final_view import FinalView, render_final
from takopi.core.markdown import render_markdown
from takopi.core.richtext import RichText, plain
from takopi.core.split import split_rich

pytestmark = pytest.mark.timeout(1_800)


@pytest.fixture(scope="module")
def telegram_accepts() -> Any:
    """Give teremok's judgement on a message; aiogram takes seconds to import."""
    from aiogram import Bot
    from aiogram.methods import SendMessage
    from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity
    from teremok.validation import validate_method

    bot = Bot("123456:" + "x" * 35)

    def judge(message: ChatMessage) -> None:
        entities = [
            MessageEntity(
                type=e.kind, offset=e.offset, length=e.length, url=e.url, language=e.language
            )
            for e in message.body.entities
        ]
        rows = [
            [InlineKeyboardButton(text=b.label, callback_data=b.data) for b in row]
            for row in message.buttons
        ]
        markup = InlineKeyboardMarkup(inline_keyboard=rows) if rows else None
        method = SendMessage(
            chat_id=1, text=message.body.text, entities=entities, reply_markup=markup
        )
        validate_method(bot, method)

    return judge


@given(source=st.one_of(DOCUMENTS, MANY_MESSAGES))
def test_a_rule_checker_accepts_every_part(telegram_accepts: Any, source: str) -> None:
    """Every part of every document is a valid `sendMessage`."""
    for part in split_rich(render_markdown(source)):
        telegram_accepts(ChatMessage(part))


@given(source=MANY_MESSAGES, overflow=st.sampled_from(["split", "trim", "file"]))
def test_a_rule_checker_accepts_every_final(
    telegram_accepts: Any, source: str, overflow: Any
) -> None:
    """Every final is a row of valid messages."""
    view = FinalView(status="done", engine="pi", elapsed_s=1.0, answer=source, resume_line="pi x")
    for message in render_final(view, overflow).messages:
        telegram_accepts(message)


def test_the_rule_checker_refuses_what_is_wrong(telegram_accepts: Any) -> None:
    """The judge is awake."""
    from teremok.validation import ApiRuleViolation

    with pytest.raises(ApiRuleViolation):
        telegram_accepts(ChatMessage(plain("x" * 4_097)))


# Well-behaved Markdown, on which two renderers that follow CommonMark agree.
SHARED_CASES = [
    "plain words",
    "some **bold**, *italic* and ~~struck~~ words",
    "nested **bold *both* bold** words",
    "run `make test` now",
    "see [the docs](https://example.com/a?b=c) there",
    "😀 **bold 😀** and `code 😀` with 日本語",
    "```python\nif x:\n    print(1)\n```",
    "before\n\n```\nplain code\n```\n\nafter",
    "> quoted **words**\n> in two lines",
    "first paragraph\n\nsecond *paragraph*",
    r"escaped \*stars\* and 2 \> 1",
    "**[bold link](https://example.com)**",
    "a & b &lt; c",
]


@pytest.mark.parametrize("source", SHARED_CASES)
def test_another_renderer_says_the_same(source: str) -> None:
    """Same words, and the same kinds of entities on the same words."""
    import telegramify_markdown

    logging.getLogger("telegramify_markdown").setLevel(logging.ERROR)
    text, entities = telegramify_markdown.convert(source)
    ours = render_markdown(source)
    assert squeezed(text) == squeezed(ours.text)
    theirs = sorted(
        (e.type, squeezed(_words(text, e.offset, e.length)), e.url, e.language) for e in entities
    )
    assert theirs == sorted(_facts(ours))


def _facts(rich: RichText) -> list[tuple[str, str, str | None, str | None]]:
    return [
        (e.kind, squeezed(_words(rich.text, e.offset, e.length)), e.url, e.language)
        for e in rich.entities
    ]


def _words(text: str, offset: int, length: int) -> str:
    return text.encode("utf-16-le")[offset * 2 : (offset + length) * 2].decode("utf-16-le")
