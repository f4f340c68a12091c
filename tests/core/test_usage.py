"""The numbers of a turn are read from whatever a runner put there."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.usage import Usage, kept_usage, own_usage, read_usage, tells_of_session

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
# Nested by hand: what is drawn level by level takes ten times as long, and no level is read.
JSON = st.one_of(
    LEAVES,
    LEAVES.map(lambda leaf: [leaf, [[leaf], {}]]),
    LEAVES.map(lambda leaf: {"cost_usd": leaf, "x": {"input_tokens": [leaf]}}),
    st.lists(LEAVES, max_size=3),
    st.dictionaries(st.text(max_size=9), LEAVES, max_size=3),
)
COMMON = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost_usd", "model")
KEYS = st.sampled_from([*COMMON, "duration_ms", "cached_input_tokens", "total_cost_usd", "x"])
NUMBERS = st.lists(st.tuples(KEYS, JSON), max_size=12).map(dict)


def test_the_common_keys_are_read() -> None:
    """And those of older modules."""
    told = {"input_tokens": 10, "output_tokens": 2.0, "cached_tokens": 3, "reasoning_tokens": 1}
    told |= {"cost_usd": 0.5, "model": " m ", "duration_ms": 12, "extra": [1]}
    assert read_usage(told) == Usage(
        input_tokens=10,
        output_tokens=2,
        cached_tokens=3,
        reasoning_tokens=1,
        cost_usd=0.5,
        model="m",
        duration_ms=12.0,
    )
    old = {"cached_input_tokens": 4, "reasoning_output_tokens": 2, "total_cost_usd": 1}
    assert read_usage(old) == Usage(cached_tokens=4, reasoning_tokens=2, cost_usd=1.0)


@pytest.mark.parametrize("wrong", [-1, True, "7", None, [7], math.nan, math.inf, 10**400, {}])
def test_what_is_no_number_of_a_turn_is_not_told(wrong: object) -> None:
    """One of these would spoil every sum."""
    assert read_usage({"input_tokens": wrong, "cost_usd": wrong, "model": ""}) == Usage()


@given(JSON | NUMBERS)
def test_no_shape_raises_and_all_can_be_added_up(told: object) -> None:
    """A number that is told is one that can be added."""
    usage = read_usage(told)
    assert usage + Usage() == Usage() + usage == usage
    cost = (usage + usage).cost_usd
    assert cost is None or (math.isfinite(cost) and cost == 2 * (usage.cost_usd or 0))


def test_a_sum_has_what_any_of_them_told() -> None:
    """The model only when it is the same."""
    one = Usage(input_tokens=1, cost_usd=0.25, model="a")
    other = Usage(input_tokens=2, output_tokens=3, model="b")
    assert one + other == Usage(input_tokens=3, output_tokens=3, cost_usd=0.25)
    assert (one + one).model == "a"
    assert (one + Usage()).model == (Usage() + one).model == "a"


@given(NUMBERS | JSON | st.just({1: object(), "x": object()}))
def test_what_is_kept_of_the_numbers_says_the_same_and_can_be_written_down(numbers: object) -> None:
    kept = kept_usage(numbers)
    assert read_usage(kept) == read_usage(numbers)
    if kept is not None:
        assert msgspec.json.decode(msgspec.json.encode(kept)) == kept
        assert kept == kept_usage(kept)


def test_of_too_many_numbers_those_that_are_known_are_kept() -> None:
    many = {f"n{number}": number for number in range(100)} | {"cost_usd": 0.5}
    kept = kept_usage(many)
    assert kept is not None
    assert len(kept) == 32
    assert kept["cost_usd"] == 0.5


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_the_turns_of_a_session_sum_up_to_what_the_session_took(turns: list[int]) -> None:
    """Where the engine tells only the sum so far, each turn counts what was added."""
    before, told, counted = None, 0, 0
    for took in turns:
        told += took
        numbers = {"input_tokens": told, "of_session": True, "model": "m"}
        own = own_usage(numbers, before, fresh=before is None)
        assert own["input_tokens"] == took
        counted += took
        before = kept_usage(own)
        assert tells_of_session(before)
    assert counted == told


def test_what_a_session_took_before_is_not_guessed() -> None:
    """A session of the desktop is resumed: nobody knows what it took until then."""
    own = own_usage({"output_tokens": 9, "of_session": True}, None, fresh=False)
    assert own == {"session_output_tokens": 9}
    again = own_usage({"output_tokens": 12, "of_session": True}, own, fresh=False)
    assert again["output_tokens"] == 3


@pytest.mark.parametrize("numbers", [None, 5, {}, {"input_tokens": 3}, {"of_session": "yes"}])
def test_other_numbers_stay_as_they_are(numbers: object) -> None:
    """Engines that tell what a turn took are not touched, whatever they tell."""
    assert own_usage(numbers, {"session_input_tokens": 2}, fresh=False) == numbers


def test_a_sum_that_shrinks_begins_anew() -> None:
    """As after an engine lost count."""
    before = {"session_input_tokens": 50}
    own = own_usage({"input_tokens": 20, "of_session": True}, before, fresh=False)
    assert own["input_tokens"] == 20
