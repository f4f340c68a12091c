"""What the words behind a choosing command mean."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.preference_choices import (
    DEFAULT,
    KINDS,
    PreferenceWish,
    chosen_in,
    is_of_engine,
    plain_words,
    read_wish,
    with_choice,
    word_of,
)
from takopi.core.preference_replies import preference_reply, refused_word_reply
from takopi.core.preference_views import LayerLine, PreferenceView
from takopi.core.preferences import NOTHING_CHOSEN, Preferences
from takopi.core.richtext import utf16_len

ENGINES = ("codex", "claude")


@pytest.mark.parametrize(
    ("kind", "args", "wish"),
    [
        ("model", "", PreferenceWish()),
        ("model", "gpt-5", PreferenceWish("gpt-5")),
        ("model", "  gpt-5\n for  Project ", PreferenceWish("gpt-5", "project")),
        ("model", "gpt-5 chat", PreferenceWish("gpt-5", "chat")),
        ("model", "chat", PreferenceWish("chat")),
        ("model", "Claude opus for topic", PreferenceWish("opus", "topic", "claude")),
        ("model", "claude", PreferenceWish(None, None, "claude")),
        ("agent", "claude", PreferenceWish("claude")),
        ("agent", "claude for chat", PreferenceWish("claude", "chat")),
        ("verbose", "default", PreferenceWish("default")),
        ("agent", "set claude", PreferenceWish("claude")),
        ("model", "set gpt-5 for chat", PreferenceWish("gpt-5", "chat")),
        ("reasoning", "SET claude high", PreferenceWish("high", None, "claude")),
        ("trigger", "clear", PreferenceWish("default")),
        ("model", "clear", PreferenceWish("default")),
        ("model", "clear claude topic", PreferenceWish("default", "topic", "claude")),
        ("model", "clear gpt-5", None),
        ("model", "set", None),
        ("model", "set claude", None),
        ("model", "a b", None),
        ("model", "for chat", None),
        ("model", "claude for chat", None),
        ("trigger", "all for everybody", None),
    ],
)
def test_a_word_a_place_and_an_engine(kind, args, wish) -> None:
    assert read_wish(kind, args, ENGINES) == wish


@given(kind=st.sampled_from(KINDS), args=st.text(max_size=80))
def test_any_words_are_read_or_refused(kind, args) -> None:
    wish = read_wish(kind, args, ENGINES)
    if wish is not None and wish.value is not None:
        assert wish.value in (*args.split(), DEFAULT)
        assert wish.engine is None or is_of_engine(kind)


@pytest.mark.parametrize(
    ("kind", "said", "word"),
    [
        ("mode", "ACCEPTEDITS", "acceptEdits"),
        ("mode", "acceptEdits", "acceptEdits"),
        ("mode", "accept", None),
        ("model", "GPT-5", "gpt-5"),
        ("model", "new/model:free", "new/model:free"),
        ("model", "-m", None),
        ("model", "x" * 201, None),
        ("model", "a\x07b", None),
    ],
)
def test_a_word_that_is_known_is_written_as_the_engine_writes_it(kind, said, word) -> None:
    assert word_of(kind, said, ("acceptEdits", "gpt-5")) == word


@given(
    kind=st.sampled_from(KINDS),
    engine=st.sampled_from(ENGINES),
    words=st.lists(st.sampled_from(["a", "b", None]), max_size=5),
)
def test_what_is_chosen_last_is_there_and_survives_the_journal(kind, engine, words) -> None:
    """And no other choice changes with it."""
    words = [word and (plain_words(kind) or (word,))[0] for word in words]
    before = Preferences(engine="pi", models={"pi": "m"}, reasoning={"pi": "low"})
    chosen = before
    for word in words:
        chosen = with_choice(chosen, kind, engine, word)
    if words:
        assert chosen_in(chosen, kind, engine) == words[-1]
    raw = msgspec.json.encode(chosen)
    assert msgspec.json.decode(raw, type=Preferences) == chosen
    for other in KINDS:
        if other != kind:
            assert chosen_in(chosen, other, "pi") == chosen_in(before, other, "pi")


def test_a_choice_that_is_taken_back_leaves_nothing() -> None:
    for kind in KINDS:
        word = (plain_words(kind) or ("x",))[0]
        chosen = with_choice(NOTHING_CHOSEN, kind, "codex", word)
        assert chosen != NOTHING_CHOSEN
        assert with_choice(chosen, kind, "codex", None) == NOTHING_CHOSEN


@given(
    kind=st.sampled_from(KINDS),
    accepted=st.lists(st.text(min_size=1, max_size=150), max_size=60),
    value=st.none() | st.text(min_size=1, max_size=300),
)
def test_an_answer_is_one_valid_message_whatever_an_engine_lists(kind, accepted, value) -> None:
    lines = (LayerLine("topic", value), LayerLine("chat", None), LayerLine("project", value))
    view = PreferenceView(
        kind=kind, engine="codex", lines=lines, project="z" * 32, accepted=tuple(accepted)
    )
    for answer in (preference_reply(view), refused_word_reply(view, value or "`x`")):
        assert utf16_len(answer.body.text) <= 4096
        for button in (button for row in answer.buttons for button in row):
            assert 1 <= len(button.data.encode()) <= 64
            assert button.label
