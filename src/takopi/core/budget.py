"""What may be spent in a day and by a turn, and what takopi says about it.

A turn counts on the day on which it ended, and only as far as its engine tells a cost.
"""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Literal, TypeAlias

import msgspec

from takopi.core.chat import ChatMessage
from takopi.core.local_times import local_time
from takopi.core.replies import message
from takopi.core.shorten import one_line
from takopi.core.texts import tr

__all__ = [
    "BUDGET_KEY",
    "NO_BUDGET",
    "Budget",
    "Crossing",
    "budget_crossed_reply",
    "budget_question",
    "due_mark",
    "format_usd",
    "mark_key",
    "per_turn_note",
    "with_mark",
]

WARN_AT = 0.8
_PREVIEW_UNITS = 60
_MOST_MARKS = 8

Crossing: TypeAlias = Literal["nearly", "used up"]


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """Say what may be spent, in US dollars; None for as much as it takes.

    Args:
        daily_usd: By all turns that end on one day.
        per_turn_usd: By one turn.
    """

    daily_usd: float | None = None
    per_turn_usd: float | None = None

    def is_used_up(self, spent_usd: float) -> bool:
        """Tell whether nothing more may be started today without asking.

        Args:
            spent_usd: Today, so far.
        """
        return self.daily_usd is not None and spent_usd >= self.daily_usd


NO_BUDGET = Budget()

BUDGET_KEY = "budget:told"
"""Names in the journal what was told; no transport and no project is called so."""


def due_mark(spent_usd: float, told: Crossing | None, budget: Budget) -> Crossing | None:
    """Say which mark is to be told now; each is told once a day.

    Args:
        spent_usd: Today, so far.
        told: What was told today last.
        budget: What may be spent.
    """
    daily = budget.daily_usd
    if not daily or told == "used up" or spent_usd < daily * WARN_AT:
        return None  # who may spend nothing is asked each time, and needs no warning
    if spent_usd >= daily:
        return "used up"
    return None if told else "nearly"


def with_mark(
    marks: Mapping[str, Crossing], moment: float, zone: tzinfo, told: tuple[Budget, Crossing]
) -> dict[str, Crossing]:
    """Note that a mark of a day was told; old days are forgotten.

    Args:
        marks: What was told before.
        moment: Unix seconds.
        zone: Decides when a day ends.
        told: The budget, and its mark.
    """
    budget, mark = told
    newer = {**marks, mark_key(moment, zone, budget): mark}
    return dict(sorted(newer.items())[-_MOST_MARKS:])


def mark_key(moment: float, zone: tzinfo, budget: Budget) -> str:
    """Name a day and what may be spent on it, so that another budget has marks of its own."""
    return f"{local_time(moment, zone):%Y-%m-%d} {budget.daily_usd}"


def format_usd(amount: float) -> str:
    """Write an amount: two places, and as many as it has, up to four, for less than a dime."""
    if amount >= 0.1 or not amount:
        return f"${amount:.2f}"
    return f"${amount:.4f}".removesuffix("0").removesuffix("0")


def budget_crossed_reply(mark: Crossing, spent_usd: float, daily_usd: float) -> ChatMessage:
    """Say that most or all of the day's budget is used up."""
    spent, daily = format_usd(spent_usd), format_usd(daily_usd)
    if mark == "nearly":
        return message(
            tr("{spent} of today's budget of {daily} is used up.", spent=spent, daily=daily)
        )
    return message(
        tr(
            "Today's budget is used up: {spent} of {daily}. Until tomorrow takopi asks before it "
            "starts a prompt.",
            spent=spent,
            daily=daily,
        )
    )


def budget_question(prompt: str, spent_usd: float, daily_usd: float) -> ChatMessage:
    """Ask whether a prompt is to run all the same; its offer has the buttons."""
    return message(
        tr(
            "Not started, because today's budget is used up: {spent} of {daily}.\n{prompt}",
            spent=format_usd(spent_usd),
            daily=format_usd(daily_usd),
            prompt=one_line(prompt, _PREVIEW_UNITS),
        )
    )


def per_turn_note(cost_usd: float | None, budget: Budget) -> str:
    """Say for the final that a turn cost more than it may; empty when it did not.

    Args:
        cost_usd: What its engine tells; None when it tells nothing.
        budget: What may be spent.
    """
    most = budget.per_turn_usd
    if most is None or cost_usd is None or cost_usd <= most:
        return ""
    cost = format_usd(cost_usd)
    return tr(
        "this turn cost {cost}, more than per_turn_usd = {most}", cost=cost, most=format_usd(most)
    )
