"""What takopi says about prompts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decisions.test_replies import check
from takopi.core.chat import ChatMessage
from takopi.core.prompt_replies import (
    backlog_question,
    dropped_reply,
    edit_refused_reply,
    edited_reply,
    not_written_reply,
    picked_reply,
    taken_message,
)
from takopi.core.richtext import Entity, RichText, utf16_len
from takopi.core.turn_state import TurnEnd


@given(words=st.text(max_size=400), age_s=st.floats(allow_nan=False))
def test_whatever_was_said_the_answers_fit(words: str, age_s: float) -> None:
    """Also when it cannot be shown, or clocks disagree."""
    check(backlog_question(words, age_s))
    check(dropped_reply(words, age_s))
    check(not_written_reply(words))
    check(picked_reply("codex", words, "interrupted"))
    check(edited_reply())
    check(edit_refused_reply("it reads as a command", waits=True))
    check(edit_refused_reply("it reads as a command", waits=False))


@given(size=st.integers(1, 4096), letter=st.sampled_from("a😀"))
def test_a_choice_is_added_to_what_stands_there(size: int, letter: str) -> None:
    """The words stay as far as they fit, with their looks, and the buttons go."""
    text = (letter * size)[: 4096 // utf16_len(letter)]
    shown = ChatMessage(RichText(text, (Entity("bold", 0, utf16_len(letter)),)))
    taken = taken_message("backlog", "answer", shown)
    check(taken)
    head, _, choice = taken.body.text.rpartition("\n\n")
    assert choice == "→ Answer"
    assert text.startswith(head)
    assert utf16_len(head) >= min(utf16_len(text), 4000)
    assert taken.body.entities == shown.body.entities
    assert taken.buttons == ()


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (None, "To be cancelled: "),
        ("cancelled", "Cancelled: "),
        ("done", "Done before it could be cancelled: "),
        ("failed", "Failed before it could be cancelled: "),
        ("interrupted", "Interrupted before it could be cancelled: "),
    ],
)
def test_a_choice_says_how_the_picked_turn_ended(end: TurnEnd | None, said: str) -> None:
    """Until then it says what stays true when takopi ends first."""
    assert picked_reply("codex", "tidy\nup", end).body.text == f"{said}codex · tidy up"
