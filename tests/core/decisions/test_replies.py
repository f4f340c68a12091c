"""What takopi itself says."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.again import again_and_again
from takopi.core.chat import ChatMessage
from takopi.core.decisions import EngineConflict, UnknownCommand
from takopi.core.help_replies import Engines, help_reply
from takopi.core.replies import (
    bold,
    code,
    conflict_reply,
    engine_reply,
    hint_reply,
    message,
    unknown_reply,
)
from takopi.core.richtext import utf16_len
from takopi.core.turn_lists import (
    EngineVersion,
    TurnLine,
    cancel_choice,
    queue_reply,
    queued_message,
    status_reply,
)
from takopi.core.turn_queue import QueuePlace

WHYS = st.sampled_from(["session", "limit", "gathering", "person"])
PLACES = st.none() | st.builds(QueuePlace, WHYS, st.integers(0, 99), st.integers(0, 99))
TURNS = again_and_again(
    st.builds(
        TurnLine,
        turn_id=st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20),
        engine=st.sampled_from(["codex", "claude"]),
        prompt=st.text(max_size=300),
        elapsed_s=st.none() | st.floats(0, 10**6),
        place=PLACES,
        cancelling=st.booleans(),
        waited_s=st.none() | st.floats(0, 10**6),
        where=st.text(max_size=250),
        steps=st.integers(0, 10**6),
    ),
    40,
)


def check(said: ChatMessage) -> None:
    """Refuse what a chat would refuse."""
    length = utf16_len(said.body.text)
    assert said.body.text.strip()
    assert length <= 4096
    for entity in said.body.entities:
        assert entity.length > 0
        assert 0 <= entity.offset <= entity.offset + entity.length <= length
    for row in said.buttons:
        for button in row:
            assert button.label.strip()
            assert len(button.data.encode()) <= 64


@pytest.mark.timeout(300)
@given(turns=TURNS, version=st.none() | st.text(max_size=40))
def test_lists_of_turns_always_fit(turns: list[TurnLine], version: str | None) -> None:
    """However many turns and however long their prompts."""
    check(status_reply(turns, "1.0", [EngineVersion("codex", version)]))
    check(status_reply(turns, "1.0", []))
    check(cancel_choice(turns))
    check(queue_reply(turns))


@given(word=st.text(min_size=1, max_size=200), place=PLACES)
def test_answers_with_a_persons_words_always_fit(word: str, place: QueuePlace | None) -> None:
    """Whatever was typed."""
    check(unknown_reply(UnknownCommand(word, ("help",))))
    check(queued_message("codex", place, "t1"))
    check(message("a 😀 ", bold(word), code("x")))


def test_fixed_answers_fit() -> None:
    """With and without engines."""
    check(help_reply(Engines(("codex", "claude"), "codex")))
    check(help_reply(Engines((), "codex")))
    check(hint_reply())
    check(engine_reply("codex", "codex"))
    check(engine_reply("codex", "claude"))
    check(conflict_reply(EngineConflict("codex", "claude")))
    check(conflict_reply(EngineConflict("codex", "claude", in_session=False)))


def test_the_age_of_a_turn_is_told_in_words() -> None:
    """Seconds, minutes, hours."""
    ages = {5.9: "5s", 61: "1m 01s", 3700: "1h 01m"}
    for seconds, words in ages.items():
        turn = TurnLine(turn_id="t", engine="codex", prompt="p", elapsed_s=seconds)
        assert f"codex · {words} · p" in status_reply([turn], "1", []).body.text


def test_a_prompt_is_shown_in_brief_as_elsewhere() -> None:
    """At most 60 units on one line, whole characters only, and none that control anything."""
    turn = TurnLine(turn_id="t", engine="codex", prompt="a\x1b[2J\n" + "😀" * 60)
    line = status_reply([turn], "1", []).body.text.splitlines()[1]
    shown = line.removeprefix("1. codex · ")
    assert utf16_len(shown) <= 60
    assert shown.endswith("😀…")
    assert "\x1b" not in shown


def test_more_turns_than_fit_are_counted() -> None:
    """Fifteen are listed."""
    turns = [TurnLine(turn_id=f"t{n}", engine="codex", prompt="p") for n in range(25)]
    assert "and 10 more" in status_reply(turns, "1", []).body.text


def test_entities_count_in_utf16_units() -> None:
    """A character outside the first plane is two."""
    assert message("😀", bold("b")).body.entities[0].offset == 2
    assert message(bold(""), "a").body.entities == ()
