"""What turns cost, summed up."""

from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.budget import NO_BUDGET, Budget
from takopi.core.richtext import utf16_len
from takopi.core.usage import Usage
from takopi.core.usage_view import Spent, period_of, period_start, usage_reply

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC).timestamp()
DAY = 86400


def spent(
    ago_d: float = 0.0, engine: str = "codex", project: str | None = None, **numbers
) -> Spent:
    """Make what a turn cost some days ago."""
    return Spent(NOW - ago_d * DAY, engine, project, Usage(**numbers))


def text(turns: list[Spent], period="today", budget: Budget = NO_BUDGET) -> str:
    return usage_reply(turns, period, BERLIN, budget).body.text


def test_costs_are_summed_where_they_are_told_and_tokens_otherwise() -> None:
    turns = [
        spent(engine="claude", project="zed", cost_usd=1.2, input_tokens=10**6, output_tokens=5),
        spent(engine="claude", cost_usd=0.05),
        spent(project="zed", input_tokens=12_345, output_tokens=950),
        spent(input_tokens=4_500_000),
    ]
    assert text(turns, budget=Budget(daily_usd=5.0)) == (
        "Today\n4 turns · $1.25 · 4.5M tokens in, 950 out\nBudget: $1.25 of $5.00\n"
        "\nEngines\nclaude · 2 turns · $1.25\ncodex · 2 turns · 4.5M tokens in, 950 out\n"
        "\nProjects\nzed · 2 turns · $1.20 · 12.3k tokens in, 950 out\n"
        "no project · 2 turns · $0.05 · 4.5M tokens in, 0 out\n"
    )


def test_longer_periods_are_listed_by_day() -> None:
    """A turn of a quarter to midnight in Berlin belongs to that day."""
    late = datetime(2026, 11, 19, 22, 45, tzinfo=UTC).timestamp()
    turns = [spent(cost_usd=1.0), Spent(late, "codex", None, Usage(cost_usd=2.0))]
    assert "Days\n2026-11-21 · 1 turn · $1.00\n2026-11-19 · 1 turn · $2.00\n" in text(turns, "week")


def test_nothing_spent_is_said() -> None:
    shown = usage_reply([], "month", BERLIN, Budget(daily_usd=1.0))
    assert shown.body.text == "30 days\nNo turn ended that told what it cost.\n"
    assert [b.label for b in shown.buttons[0]] == ["Today", "7 days", "30 days"]


def test_periods_begin_with_a_day() -> None:
    starts = [period_start(p, NOW, BERLIN) for p in ("today", "week", "month")]
    assert [f"{datetime.fromtimestamp(s, BERLIN):%m-%d %H:%M}" for s in starts] == [
        "11-21 00:00",
        "11-15 00:00",
        "10-23 00:00",
    ]


@pytest.mark.parametrize(
    ("word", "period"),
    [("Today ", "today"), ("day", "today"), ("7", "week"), ("30", "month"), ("year", None)],
)
def test_periods_are_named(word, period) -> None:
    assert period_of(word) == period


def rows_of(seed: int, size: int) -> list[Spent]:
    """Make turns of any day, engine and project; a seed decides, as drawing 60 of them is dear."""
    random = Random(seed)

    def name(most: int) -> str:
        return "".join(random.choices("abcdefghij", k=random.randint(1, most)))

    def number() -> int | None:
        return random.choice((None, 0, random.randint(0, 10**15), 10 ** random.randint(0, 15)))

    return [
        spent(
            random.uniform(0, 29),
            name(12),
            random.choice((None, name(32))),
            cost_usd=random.choice((None, random.uniform(0, 1e15), number())),
            input_tokens=number(),
            output_tokens=number(),
        )
        for _ in range(size)
    ]


ROWS = st.builds(rows_of, st.integers(0, 2**32), st.integers(0, 60))


@given(ROWS, st.sampled_from(["today", "week", "month"]))
def test_whatever_was_spent_fits_into_one_message(turns, period) -> None:
    said = usage_reply(turns, period, BERLIN, Budget(daily_usd=1.0))
    assert utf16_len(said.body.text) <= 4096
