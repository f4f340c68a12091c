"""What may be spent in a day and by a turn, and what takopi says about it.

A turn counts on the day on which it ended, and only as far as its engine tells a cost.
"""

from typing import Literal, TypeAlias

import msgspec

from takopi.core.chat import ChatMessage
from takopi.core.replies import message
from takopi.core.shorten import one_line
from takopi.core.texts import tr

__all__ = [
    "NO_BUDGET",
    "Budget",
    "Crossing",
    "budget_crossed_reply",
    "budget_question",
    "crossing",
    "format_usd",
    "per_turn_note",
]

WARN_AT = 0.8
_PREVIEW_UNITS = 60

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


def crossing(before_usd: float, after_usd: float, budget: Budget) -> Crossing | None:
    """Say which mark a turn went over; each is told once a day.

    Args:
        before_usd: Spent today before the turn ended.
        after_usd: Spent today with it.
        budget: What may be spent.
    """
    daily = budget.daily_usd
    if daily is None or after_usd <= before_usd:
        return None
    if before_usd < daily <= after_usd:
        return "used up"
    warned = before_usd >= daily * WARN_AT
    return "nearly" if not warned and after_usd >= daily * WARN_AT else None


def format_usd(amount: float) -> str:
    """Write an amount: two places, more for less than a dime."""
    return f"${amount:.2f}" if amount >= 0.1 or not amount else f"${amount:.4f}"


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
