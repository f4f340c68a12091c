"""Which messages are one prompt."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from takopi.core.chat import IncomingFile, RepliedTo, Scope
from takopi.core.gathering import (
    ALBUM_WAIT_S,
    LONG_UNITS,
    LONG_WAIT_S,
    PromptPiece,
    WaitingPrompt,
    files_of,
    held_until,
    joined_text,
    prompt_of,
)

pytestmark = pytest.mark.timeout(300)

HERE = Scope("memory", 1)
LONG = "x" * LONG_UNITS


def piece(text: str = "words", number: int = 1, at: float = 0.0, **more: object) -> PromptPiece:
    """Make a message."""
    return PromptPiece(message_id=number, text=text, arrived_at=at, **more)  # type: ignore[arg-type]


def waits(*pieces: PromptPiece, turn: str = "t1", person: int = 1) -> WaitingPrompt:
    """Make a prompt that waits."""
    return WaitingPrompt(turn, HERE, person, pieces)


def joins(new: PromptPiece, *pieces: PromptPiece) -> bool:
    """Tell whether a message goes into a prompt of the same person in the same place."""
    return prompt_of(new, HERE, 1, [waits(*pieces)]) == "t1"


def gathered(pieces: Sequence[PromptPiece]) -> list[list[PromptPiece]]:
    """Put messages together that come while every prompt waits."""
    prompts: list[WaitingPrompt] = []
    for new in pieces:
        found = prompt_of(new, HERE, 1, prompts)
        if found is None:
            prompts.append(waits(new, turn=f"t{new.message_id}"))
        else:
            prompts = [
                waits(*old.pieces, new, turn=old.turn_id) if old.turn_id == found else old
                for old in prompts
            ]
    return [list(prompt.pieces) for prompt in prompts]


@pytest.mark.parametrize("pause_s", [0.0, 0.4, 1.0, 5.0])
def test_two_prompts_are_two_however_close_they_are(pause_s: float) -> None:
    """A text that no client would cut is a prompt by itself, and waits for nothing."""
    assert not joins(piece("two", 2, at=pause_s), piece("one"))
    assert held_until([piece("one")]) is None


@pytest.mark.parametrize(("pause_s", "one"), [(0.0, True), (1.0, True), (1.1, False)])
def test_a_long_text_waits_a_second_for_its_rest(pause_s: float, one: bool) -> None:
    """The text that comes in time belongs to it, a later one does not."""
    first = piece(LONG, at=100.0)
    assert held_until([first]) == 100.0 + LONG_WAIT_S
    assert joins(piece("rest", 2, at=100.0 + pause_s), first) == one


def test_a_long_rest_waits_again_and_a_short_one_ends_the_wait() -> None:
    """The last part of a paste is short, as a rule."""
    first, second = piece(LONG, at=100.0), piece(LONG, 2, at=100.8)
    assert held_until([first, second]) == 100.8 + LONG_WAIT_S
    assert joins(piece("end", 3, at=101.7), first, second)
    assert held_until([first, second, piece("end", 3, at=101.7)]) is None
    assert not joins(piece("new", 4, at=101.8), first, second, piece("end", 3, at=101.7))


def test_a_text_one_unit_shorter_is_not_long() -> None:
    """Units are counted as the service counts them."""
    assert held_until([piece("x" * (LONG_UNITS - 1))]) is None
    assert held_until([piece("😀" * (LONG_UNITS // 2), at=1.0)]) is not None


def test_a_rest_is_the_same_persons_in_the_same_place() -> None:
    """Another person, another topic and another chat have prompts of their own."""
    waiting = [waits(piece(LONG))]
    rest = piece("rest", 2)
    assert prompt_of(rest, HERE, 1, waiting) == "t1"
    assert prompt_of(rest, HERE, 2, waiting) is None
    assert prompt_of(rest, Scope("memory", 1, 7), 1, waiting) is None
    assert prompt_of(rest, Scope("memory", 2), 1, waiting) is None


def test_a_rest_goes_into_the_newest_prompt_alone() -> None:
    """What came between the two was a prompt of its own, so the paste was over."""
    waiting = [waits(piece(LONG), turn="t1"), waits(piece("short", 2), turn="t2")]
    assert prompt_of(piece("rest", 3), HERE, 1, waiting) is None


def test_a_reply_to_something_else_is_no_rest() -> None:
    """A client answers the same message with every part, or only with the first."""
    to_five, to_six = RepliedTo(5), RepliedTo(6)
    assert not joins(piece("rest", 2, reply=to_five), piece(LONG))
    assert not joins(piece("rest", 2, reply=to_six), piece(LONG, reply=to_five))
    assert joins(piece("rest", 2, reply=to_five), piece(LONG, reply=to_five))
    assert joins(piece("rest", 2), piece(LONG, reply=to_five))


def test_parts_of_an_album_are_one_until_half_a_second_after_the_last() -> None:
    """Also when they come one by one, and whether they have words or not."""
    first = piece("look", 1, at=10.0, album="a")
    second = piece("", 2, at=10.3, album="a")
    assert held_until([first]) == 10.0 + ALBUM_WAIT_S
    assert joins(second, first)
    assert held_until([first, second]) == held_until([second, first]) == 10.3 + ALBUM_WAIT_S
    assert not joins(piece("other", 3, at=10.3, album="b"), first)
    assert joined_text([first, second]) == "look"
    waiting = [waits(first), waits(piece("then", 2), turn="t2")]
    assert prompt_of(second, HERE, 1, waiting) == "t1", "an album is known by its name"


def test_an_album_is_no_rest_of_a_paste() -> None:
    """Its caption is short, and its parts have a name of their own."""
    assert not joins(piece("look", 2, album="a"), piece(LONG))
    assert held_until([piece(LONG, at=1.0, album="a")]) == 1.0 + ALBUM_WAIT_S


def test_forwards_go_with_the_newest_prompt_that_waits() -> None:
    """However long it has waited; alone they are a prompt of their own."""
    forward = piece("theirs", 2, at=900.0, forwarded=True)
    assert joins(forward, piece("mine"))
    assert joins(forward, piece("mine"), piece("first", 3, forwarded=True))
    assert prompt_of(forward, HERE, 1, []) is None
    assert prompt_of(forward, HERE, 2, [waits(piece("mine"))]) is None


def test_a_forward_neither_begins_nor_ends_a_paste() -> None:
    """The wait for the rest goes on, and a long forward waits for nothing."""
    long, forward = piece(LONG, at=1.0), piece("theirs", 2, at=1.2, forwarded=True)
    assert held_until([long, forward]) == 1.0 + LONG_WAIT_S
    assert joins(piece("rest", 3, at=1.4), long, forward)
    assert held_until([piece(LONG, forwarded=True)]) is None
    assert not joins(piece("mine", 2), piece(LONG, forwarded=True))


def test_a_message_without_words_joins_no_text() -> None:
    """A picture behind a paste is none of it."""
    assert not joins(piece("", 2), piece(LONG))
    assert not joins(piece("", 2, forwarded=True), piece("mine"))
    theirs = IncomingFile(kind="document", file_id="d", name="a.pdf")
    assert joins(piece("", 2, forwarded=True, files=(theirs,)), piece("mine"))
    assert not joins(piece("", 2, files=(theirs,)), piece("mine"))


@pytest.mark.parametrize(("second_later", "one"), [(0, True), (1, True), (2, False)])
def test_a_backlog_is_timed_by_the_services_dates(second_later: int, one: bool) -> None:
    """Everything arrives at once then, so arrival says nothing."""
    first = piece(LONG, at=5000.0, sent_at=70.0, late=True)
    sent_at = 70.0 + second_later
    assert joins(piece("rest", 2, at=5000.0, sent_at=sent_at, late=True), first) == one
    forward = piece("theirs", 2, at=5000.0, sent_at=sent_at, late=True, forwarded=True)
    assert joins(forward, piece("mine", at=5000.0, sent_at=70.0, late=True)) == one
    assert held_until([first]) == 5000.0 + LONG_WAIT_S, "the rest may be in the next answer"


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("x" * 4096, "rest", ""),
        ("x" * 4095, "😀", ""),
        ("x" * 4095, "rest", "\n"),
        ("x" * 3600, "rest", "\n"),
    ],
)
def test_a_full_part_was_cut_inside_a_line(first: str, second: str, joined: str) -> None:
    """A part that is not full ended at white space, which the service takes off."""
    assert joined_text([piece(first), piece(second, 2)]) == first + joined + second


def test_forwards_and_captions_are_set_apart() -> None:
    """By a blank line, from the prompt and from each other."""
    first = piece("/claude look", opening="look")
    theirs = piece("theirs", 2, forwarded=True)
    assert (
        joined_text([first, theirs, piece("more", 3, forwarded=True)]) == "look\n\ntheirs\n\nmore"
    )
    assert joined_text([piece("", album="a"), piece("caption", 2, album="a")]) == "caption"
    parts = [piece("one", album="a"), piece("two", 2, album="a")]
    assert joined_text(parts) == "one\n\ntwo"


WRITTEN = st.characters(codec="utf-8", exclude_categories=["Z", "C"])
SHORT_TEXTS = st.text(WRITTEN, min_size=1, max_size=9)
TEXTS = st.one_of(SHORT_TEXTS, st.integers(LONG_UNITS, 4096).map(lambda size: "x" * size))
ARRIVALS = st.lists(
    st.tuples(st.floats(0, 2), TEXTS, st.booleans(), st.sampled_from([None, None, "a", "b"])),
    max_size=12,
)


@given(arrivals=ARRIVALS)
def test_no_words_are_lost_doubled_or_moved(
    arrivals: list[tuple[float, str, bool, str | None]],
) -> None:
    """Whenever messages come, each is in one prompt, and a prompt has its messages in order."""
    now, pieces = 0.0, []
    for number, (pause_s, text, forwarded, album) in enumerate(arrivals):
        now += pause_s
        pieces.append(piece(text, number, at=now, forwarded=forwarded, album=album))
    prompts = gathered(pieces)
    numbers = [part.message_id for prompt in prompts for part in prompt]
    assert sorted(numbers) == list(range(len(pieces)))
    for prompt in prompts:
        assert [part.message_id for part in prompt] == sorted(part.message_id for part in prompt)
        text, at = joined_text(prompt), 0
        for part in prompt:
            assert text.startswith(part.text, at)
            at += len(part.text)
            at += len(text[at:]) - len(text[at:].lstrip("\n"))
        assert at == len(text)
        until = held_until(prompt)
        assert until is None or until <= prompt[-1].arrived_at + LONG_WAIT_S


USUAL_TEXTS = SHORT_TEXTS | st.integers(LONG_UNITS - 20, LONG_UNITS - 1).map(
    lambda size: "x" * size
)


@given(written=st.lists(st.tuples(USUAL_TEXTS, st.floats(0, 3)), max_size=6))
def test_prompts_of_usual_length_never_meet(written: list[tuple[str, float]]) -> None:
    """Each reaches an agent as one, at whatever pace they are written."""
    now, pieces = 0.0, []
    for number, (text, pause_s) in enumerate(written):
        now += pause_s
        pieces.append(piece(text, number, at=now))
    assert len(gathered(pieces)) == len(written)


def cut_by_a_client(paste: str) -> list[str]:
    """Fill one message after the other, with whole characters only."""
    parts, rest = [], paste.encode("utf-16-le")
    while rest:
        end = 2 * 4096
        if rest[end:] and 0xD8 <= rest[end - 1] <= 0xDB:
            end -= 2  # the first half of a character of two units
        parts.append(rest[:end].decode("utf-16-le"))
        rest = rest[end:]
    return parts


@given(
    pattern=SHORT_TEXTS,
    size=st.integers(4097, 12_000),
    pauses=st.lists(st.floats(0, LONG_WAIT_S), min_size=6, max_size=6),
)
def test_a_paste_that_was_cut_is_whole_again(pattern: str, size: int, pauses: list[float]) -> None:
    """A client fills each message; what arrives within a second each is the pasted text."""
    paste = (pattern * size)[:size]
    now, pieces = 0.0, []
    for number, (text, pause_s) in enumerate(zip(cut_by_a_client(paste), pauses, strict=False)):
        now += pause_s * 0.999  # added up, seconds round
        pieces.append(piece(text, number, at=now))
    (prompt,) = gathered(pieces)
    assert joined_text(prompt) == paste


def test_the_files_of_a_prompt_come_once_and_keep_their_places() -> None:
    """In the order of its messages; what has a place already is not fetched into another."""
    first = IncomingFile(kind="document", file_id="a", name="a.pdf")
    second = IncomingFile(kind="document", file_id="b", name="b.pdf")
    pieces = [piece(files=(first,)), piece(number=2, files=(first, second))]
    assert files_of(pieces) == (first, second)
    placed = replace(first, path="/work/incoming/a.pdf")
    assert files_of(pieces, (placed,)) == (placed, second)
