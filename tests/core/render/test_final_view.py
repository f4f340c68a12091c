"""What the end of a turn looks like."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.render.documents import MANY_MESSAGES, NOISE, SHORT_DOCUMENTS
from core.render.rules import assert_sendable, squeezed, tagged
from takopi.core.chat import Button
from takopi.core.final_view import (
    MAX_LAID_OUT,
    FinalDelivery,
    FinalView,
    format_usage,
    render_final,
)
from takopi.core.markdown import render_markdown
from takopi.core.split import count_entities, is_blank

pytestmark = pytest.mark.timeout(1_800)

RESUME = "codex resume 0199-abc"
PARAGRAPH = "The **parser** in `parser.py` took words for numbers; it does not any more. "
LONG = "\n\n".join(f"{PARAGRAPH * 4} ({n})" for n in range(20))
ENDLESS = "\n\n".join(f"{PARAGRAPH * 4} ({n})" for n in range(200))


def view(**fields: Any) -> FinalView:
    """Make a turn that went well."""
    basis: dict[str, Any] = {
        "status": "done",
        "engine": "codex",
        "elapsed_s": 62.0,
        "steps": 4,
        "answer": "Fixed **it**.",
        "resume_line": RESUME,
    }
    return FinalView(**{**basis, **fields})


def texts(delivery: FinalDelivery) -> list[str]:
    """Return the plain texts, all checked."""
    for message in delivery.messages:
        assert_sendable(message.body)
        assert message.buttons == ()
    return [message.body.text for message in delivery.messages]


def only(delivery: FinalDelivery) -> str:
    """Return the one message with tags."""
    texts(delivery)
    (message,) = delivery.messages
    assert delivery.document is None
    return tagged(message.body)


def test_a_good_end() -> None:
    """Status, answer, notes, numbers and the resume line, in this order."""
    final = view(
        notes=("ended 1 background process: `npm run dev`",),
        usage={"input_tokens": 12_345, "output_tokens": 678, "cost_usd": 0.6, "model": "gpt-x"},
    )
    assert only(render_final(final)) == (
        "✓ done · codex · 1m 02s · 4 steps\n\n"
        "Fixed <b>it</b>.\n\n"
        "<i>ended 1 background process:</i> <code>npm run dev</code>\n"
        "<i>gpt-x · 12.3k in · 678 out · $0.60</i>\n\n"
        "<code>codex resume 0199-abc</code>"
    )


def test_an_error() -> None:
    """The error's text stands before what was answered."""
    final = view(status="error", error="API refused: 401\nrun `codex login`", steps=0, answer="")
    assert only(render_final(final)) == (
        "✗ error · codex · 1m 02s\n\nAPI refused: 401\nrun <code>codex login</code>\n\n"
        "<code>codex resume 0199-abc</code>"
    )
    final = view(status="error", error="broke", answer="So far:", resume_line=None, steps=1)
    assert only(render_final(final)) == "✗ error · codex · 1m 02s · 1 step\n\nbroke\n\nSo far:"


def test_a_cancelled_turn() -> None:
    """What was written stays; without words there is the resume line."""
    assert only(render_final(view(status="cancelled", answer="", steps=0))) == (
        "■ cancelled · codex · 1m 02s\n\n<code>codex resume 0199-abc</code>"
    )
    assert "So far" in only(render_final(view(status="cancelled", answer="So far")))


def test_an_interrupted_turn() -> None:
    """How long it took nobody knows; what can be decided stands below the last message."""
    buttons = ((Button("Ask again", "o:x:again"),),)
    lost = view(status="interrupted", error="it got lost", elapsed_s=None, buttons=buttons)
    (message,) = render_final(lost).messages
    assert tagged(message.body) == (
        "⚠ interrupted · codex · 4 steps\n\nit got lost\n\nFixed <b>it</b>.\n\n"
        "<code>codex resume 0199-abc</code>"
    )
    assert message.buttons == buttons
    parts = render_final(view(answer=LONG, buttons=buttons)).messages
    assert [part.buttons for part in parts] == [(), buttons]


@pytest.mark.parametrize("answer", ["", " \n", "\u200b", "```\n```"])
def test_a_good_end_without_words_says_so(answer: str) -> None:
    """Silence is no answer."""
    assert "(no answer text)" in only(render_final(view(answer=answer)))


def test_a_long_answer_is_split_and_numbered() -> None:
    """Every part says which it is; the status stands first, the resume line last."""
    delivery = render_final(view(answer=LONG))
    parts = texts(delivery)
    assert delivery.document is None
    assert len(parts) == 2
    assert parts[0].startswith("✓ done · codex · 1m 02s · 4 steps · 1/2\n\nThe parser")
    assert parts[1].startswith("(2/2)\n\n")
    assert [RESUME in part for part in parts] == [False, True]
    assert all(f"({n})" in parts[0] + parts[1] for n in range(20))


def test_an_endless_answer_comes_as_a_document() -> None:
    """Beyond five messages the beginning is shown and the file holds every byte."""
    delivery = render_final(view(answer=ENDLESS))
    (text,) = texts(delivery)
    assert delivery.document is not None
    assert delivery.document.content.decode() == ENDLESS
    assert delivery.document.filename == "answer.md"
    assert text.startswith("✓ done · codex")
    assert "… the whole answer (62 KB) is in answer.md" in text
    assert text.endswith(RESUME)
    assert len(text) < 1_500


def test_as_a_file_a_long_answer_is_a_document_at_once() -> None:
    """A short one is a message all the same."""
    assert render_final(view(), "file").document is None
    delivery = render_final(view(answer=LONG), "file")
    assert len(texts(delivery)) == 1
    assert delivery.document is not None
    assert delivery.document.content.decode() == LONG


def test_trimmed_it_is_one_message_that_says_what_is_missing() -> None:
    """The cut is marked, and the resume line survives it."""
    assert only(render_final(view(), "trim")) == only(render_final(view()))
    delivery = render_final(view(answer=LONG), "trim")
    (text,) = texts(delivery)
    assert delivery.document is None
    assert "✂ " in text
    assert "more characters are not shown\n\ncodex resume" in text
    shown = len(text.split("\n\n✂")[0].split("\n\n", 1)[1])
    missing = int(text.split("✂ ")[1].split()[0].replace(",", ""))
    assert abs(shown + missing - len(render_markdown(LONG).text)) < 5


@pytest.mark.parametrize("overflow", ["split", "trim", "file"])
def test_megabytes_are_not_laid_out(overflow: Any) -> None:
    """An answer far beyond all messages costs no seconds and loses no byte of its file."""
    answer = PARAGRAPH * 40_000
    delivery = render_final(view(answer=answer, error="bad " * 9, status="error"), overflow)
    assert len(answer) > MAX_LAID_OUT
    (text,) = texts(delivery)
    assert text.startswith("✗ error")
    if overflow == "trim":
        assert "3,0" in text
    else:
        assert delivery.document is not None
        assert delivery.document.content.decode().endswith(answer)
        assert "3.0 MB" in text


def test_a_long_error_is_kept_whole() -> None:
    """What a program printed at its end is shown, or is in the file."""
    error = "\n".join(f"Traceback line {n} in main.py" for n in range(2_000))
    delivery = render_final(view(status="error", error=error, answer="partly"))
    texts(delivery)
    assert delivery.document is not None
    assert delivery.document.content.decode() == f"Error:\n\n{error}\n\nAnswer:\n\npartly"
    parts = texts(render_final(view(status="error", error=error[:9_000], answer="partly")))
    assert squeezed(error[:9_000]) in squeezed("".join(re_joined(parts)))


def re_joined(parts: list[str]) -> list[str]:
    """Take the first lines off, which number the parts."""
    return [part.split("\n\n", 1)[1] for part in parts]


def test_half_characters_do_not_break_the_file() -> None:
    """What no file can hold is replaced there too."""
    delivery = render_final(view(answer="\ud83d" + "x" * 30_000))
    assert delivery.document is not None
    assert delivery.document.content.decode().startswith("\ufffdxxx")


def test_notes_never_crowd_out_the_answer() -> None:
    """Many, long and marked-up notes are shortened; the rest is counted."""
    notes = tuple("aa.py " * 99 for _ in range(30))
    delivery = render_final(view(notes=notes, answer=LONG), "trim")
    (text,) = texts(delivery)
    assert "… 22 more notes" in text
    assert text.count("The parser") > 3
    assert text.endswith(RESUME)
    assert count_entities(delivery.messages[0].body) <= 100


@pytest.mark.parametrize(
    ("usage", "line"),
    [
        ({}, ""),
        ({"input_tokens": 999, "output_tokens": 1_000}, "999 in · 1.0k out"),
        ({"input_tokens": 123_456, "output_tokens": 1_500_000}, "123k in · 1.5M out"),
        ({"input_tokens": 2_000_000_000}, "2.0G in"),
        ({"cost_usd": 0.004}, "<$0.01"),
        ({"cost_usd": 12}, "$12.00"),
        ({"cost_usd": 0, "input_tokens": 0}, ""),
        ({"input_tokens": "9", "output_tokens": True, "cost_usd": math.nan, "model": 3}, ""),
        ({"input_tokens": -1, "cost_usd": math.inf, "model": " "}, ""),
    ],
)
def test_numbers_are_short_and_odd_ones_left_out(usage: dict[str, Any], line: str) -> None:
    """An engine's numbers never break a final."""
    assert format_usage(usage) == line


@given(
    st.one_of(SHORT_DOCUMENTS, NOISE, MANY_MESSAGES),
    st.sampled_from(["split", "trim", "file"]),
    st.sampled_from(["done", "error", "cancelled"]),
    st.one_of(st.none(), NOISE),
    st.lists(NOISE, max_size=3).map(tuple),
)
def test_every_final_is_sendable_and_loses_nothing(
    answer: str, overflow: Any, status: Any, error: str | None, notes: tuple[str, ...]
) -> None:
    """Whatever an engine answers: valid messages, the resume line last, and every word kept."""
    delivery = render_final(view(answer=answer, status=status, error=error, notes=notes), overflow)
    parts = texts(delivery)
    assert 1 <= len(parts) <= 5
    assert [part.endswith(RESUME) for part in parts] == [False] * (len(parts) - 1) + [True]
    if delivery.document is not None:
        assert overflow != "trim"
        whole = answer.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        assert delivery.document.content.decode().endswith(whole)
    elif "✂" not in parts[0] and not is_blank(body := render_markdown(answer).text):
        assert squeezed(body) in squeezed("".join(re_joined(parts)))
