"""What turns cost, by day, engine and project.

A turn whose engine tells its cost counts with that; any other counts with its tokens. The two are
never made into one another: prices change, and subscriptions have none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import msgspec

from takopi.core.budget import Budget, format_usd
from takopi.core.chat import Button, ChatMessage
from takopi.core.commands import press_data
from takopi.core.local_times import day_start, local_time
from takopi.core.replies import Styled, bold, message
from takopi.core.texts import tr, tr_later, tr_n, translated
from takopi.core.usage import Usage
from takopi.model import EngineId

__all__ = ["Period", "Spent", "period_of", "period_start", "usage_reply"]

Period: TypeAlias = Literal["today", "week", "month"]

_DAYS: Mapping[Period, int] = MappingProxyType({"today": 1, "week": 7, "month": 30})
_NAMES: Mapping[Period, str] = MappingProxyType(
    {"today": tr_later("Today"), "week": tr_later("7 days"), "month": tr_later("30 days")}
)
_MOST_LINES = 15


class Spent(msgspec.Struct, frozen=True):
    """Be what one turn cost.

    Args:
        ended_at: Unix seconds.
        engine: Its engine.
        project: Its project.
        usage: Its numbers.
    """

    ended_at: float
    engine: EngineId
    project: str | None
    usage: Usage


def period_of(word: str) -> Period | None:
    """Return the period that a word names."""
    lowered = word.strip().lower()
    named = {"day": "today", "1": "today", "7": "week", "30": "month"}
    known: tuple[Period, ...] = get_args(Period)
    return next((period for period in known if period == named.get(lowered, lowered)), None)


def period_start(period: Period, now: float, zone: tzinfo) -> float:
    """Return when a period began: with a day, today being its last.

    Args:
        period: The period.
        now: Unix seconds.
        zone: Decides where days begin.
    """
    return day_start(now, zone, _DAYS[period] - 1)


def usage_reply(
    turns: Sequence[Spent], period: Period, zone: tzinfo, budget: Budget
) -> ChatMessage:
    """Say what the turns of a period cost.

    Args:
        turns: Those that ended in it.
        period: The period.
        zone: Decides which day a turn belongs to.
        budget: What may be spent.
    """
    pieces: list[str | Styled] = [bold(translated(_NAMES[period])), "\n"]
    if turns:
        pieces += [_summed(turns), "\n"]
    else:
        pieces += [tr("No turn ended that told what it cost."), "\n"]
    if period == "today" and budget.daily_usd is not None:
        spent = sum(turn.usage.cost_usd or 0.0 for turn in turns)
        daily = format_usd(budget.daily_usd)
        pieces += [tr("Budget: {spent} of {daily}", spent=format_usd(spent), daily=daily), "\n"]
    if period != "today":
        days = _grouped(turns, lambda turn: f"{local_time(turn.ended_at, zone):%Y-%m-%d}")
        pieces += _section(tr("Days"), sorted(days.items(), reverse=True), _DAYS[period])
    pieces += _section(tr("Engines"), _ordered(_grouped(turns, lambda turn: turn.engine)))
    projects = _grouped(turns, lambda turn: turn.project or tr("no project"))
    pieces += _section(tr("Projects"), _ordered(projects))
    row = tuple(
        Button(translated(label), press_data("usage", name)) for name, label in _NAMES.items()
    )
    return message(*pieces, buttons=(row,))


def _grouped(turns: Iterable[Spent], name: Callable[[Spent], str]) -> dict[str, list[Spent]]:
    found: dict[str, list[Spent]] = {}
    for turn in turns:
        found.setdefault(name(turn), []).append(turn)
    return found


def _ordered(groups: dict[str, list[Spent]]) -> list[tuple[str, list[Spent]]]:
    """Put the dearest first, then those with the most turns."""

    def weight(group: tuple[str, list[Spent]]) -> tuple[float, int, str]:
        name, turns = group
        return -sum(turn.usage.cost_usd or 0.0 for turn in turns), -len(turns), name

    return sorted(groups.items(), key=weight)


def _section(
    heading: str, groups: Sequence[tuple[str, list[Spent]]], most: int = _MOST_LINES
) -> list[str | Styled]:
    if not groups:
        return []
    lines: list[str | Styled] = ["\n", bold(heading), "\n"]
    lines += [f"{name} · {_summed(turns)}\n" for name, turns in groups[:most]]
    if len(groups) > most:
        lines.append(tr_n("and {count} more", "and {count} more", len(groups) - most) + "\n")
    return lines


def _summed(turns: Sequence[Spent]) -> str:
    """Sum turns up: their number, their cost, and the tokens of those without one."""
    words = [tr_n("{count} turn", "{count} turns", len(turns))]
    costs = [turn.usage.cost_usd for turn in turns if turn.usage.cost_usd is not None]
    if costs:
        words.append(format_usd(sum(costs)))
    tokens = [turn.usage for turn in turns if turn.usage.cost_usd is None]
    read = sum(usage.input_tokens or 0 for usage in tokens)
    written = sum(usage.output_tokens or 0 for usage in tokens)
    if read or written:
        counts = {"read": _short(read), "written": _short(written)}
        words.append(tr("{read} tokens in, {written} out", **counts))
    return " · ".join(words)


def _short(count: int) -> str:
    """Write a number of tokens: `950`, `12.3k`, `4.5M`."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")):
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)
