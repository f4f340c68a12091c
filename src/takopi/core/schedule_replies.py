"""What takopi says about schedules."""

from collections.abc import Sequence
from datetime import tzinfo

import msgspec
from msgspec.structs import replace

from takopi.core.chat import Button, ChatMessage
from takopi.core.commands import press_data
from takopi.core.local_times import local_time
from takopi.core.replies import Styled, bold, code, message
from takopi.core.schedule_times import ONCE
from takopi.core.schedules import ScheduleRecord
from takopi.core.shorten import one_line
from takopi.core.texts import tr, tr_n

__all__ = [
    "ALONE",
    "Missed",
    "crowded_reply",
    "ended_reply",
    "format_moment",
    "missed_reply",
    "no_prompt_reply",
    "one_schedule",
    "paused_reply",
    "schedule_list",
    "schedule_note",
    "skipped_reply",
    "when_usage_reply",
]

COMMAND = "schedules"
ALONE = "m"
"""Stands for the page in the buttons of a message that is about one schedule."""

PAGE_SIZE = 8
_PREVIEW_UNITS = 60
_EXAMPLES = {
    "every": (
        "/every 30m look whether the build is green",
        "/every weekday 9:00 summarise the new issues",
        "/every 0 9 * * mon-fri summarise the new issues",
    ),
    "at": (
        "/at 18:30 run the slow tests",
        "/at tomorrow 9:00 continue",
        "/at 2026-12-24 18:00 tag the release",
        "/at in 20m look whether the build is green",
    ),
}


class Missed(msgspec.Struct, frozen=True):
    """Be a schedule that missed moments.

    Args:
        record: The schedule.
        times: How many.
    """

    record: ScheduleRecord
    times: int


def format_moment(moment: float, now: float, zone: tzinfo) -> str:
    """Write a moment as a person near it says it: `18:30`, `Mon 18:30`, `2026-12-24 18:30`.

    Args:
        moment: Unix seconds.
        now: Unix seconds.
        zone: Of the person's clock.
    """
    local, today = local_time(moment, zone), local_time(now, zone).date()
    days = (local.date() - today).days
    if days == 0:
        return f"{local:%H:%M}"
    if days == 1:
        return tr("tomorrow {time}", time=f"{local:%H:%M}")
    return f"{local:%Y-%m-%d %H:%M}"


def schedule_note(record: ScheduleRecord) -> str:
    """Say on the messages of a turn which schedule asked for it."""
    prompt = one_line(record.prompt, _PREVIEW_UNITS)
    return tr("scheduled, {when}: {prompt}", when=_when(record), prompt=prompt)


def one_schedule(record: ScheduleRecord, now: float, zone: tzinfo) -> ChatMessage:
    """Say what one schedule asks and when, in the answer of the command that made it."""
    moment = "" if record.next_at is None else format_moment(record.next_at, now, zone)
    if moment and record.once:
        first = tr("{engine} is asked at {moment}", **_names(record), moment=moment)
    elif moment and not record.paused:
        first = tr("{engine} is asked {when}, next at {moment}", **_names(record), moment=moment)
    else:
        first = tr("{engine} is asked {when}", **_names(record))
    lines = [first, one_line(record.prompt, _PREVIEW_UNITS)]
    if record.project is not None:
        branch = f" @{record.branch}" if record.branch else ""
        lines.append(f"ctx: {record.project}{branch}")
    if record.paused:
        lines.append(tr("It is paused: nothing is asked until it goes on."))
    elif not moment:
        lines.append(tr("takopi was away then; nothing was asked."))
    return message("\n".join(lines), buttons=(_row(record, ALONE),))


def ended_reply(record: ScheduleRecord | None, done: str) -> ChatMessage:
    """Say what became of a schedule that is no more, in the message that was about it.

    Args:
        record: The schedule; None when nobody remembers it.
        done: What was done, in a few words.
    """
    if record is None:
        return message(done)
    prompt = one_line(record.prompt, _PREVIEW_UNITS)
    return message(
        tr("{done}: {engine} was to be asked {when}\n{prompt}",
           done=done, **_names(record), prompt=prompt)
    )  # fmt: skip


def when_usage_reply(command: str, why: str) -> ChatMessage:
    """Say what is wrong with a command, with examples."""
    examples = [piece for example in _EXAMPLES[command] for piece in ("\n", code(example))]
    return message(tr("No schedule was made: {why}. For example:", why=why), *examples)


def no_prompt_reply(command: str) -> ChatMessage:
    """Say that a schedule needs something to ask."""
    return when_usage_reply(command, tr("nothing to ask stands behind the time"))


def crowded_reply(most: int) -> ChatMessage:
    """Say that a chat has as many schedules as it may."""
    return message(
        tr("This chat has {count} schedules, as many as it may. Delete one in ", count=most),
        "/schedules",
    )


def schedule_list(
    records: Sequence[ScheduleRecord], page: int, now: float, zone: tzinfo
) -> ChatMessage:
    """List schedules, with their buttons.

    Args:
        records: Of one chat.
        page: From 0; one that is not there is the last one.
        now: Unix seconds.
        zone: Of the person's clock.
    """
    if not records:
        return message(
            tr("Nothing is scheduled here. For example:"),
            "\n",
            code(_EXAMPLES["every"][0]),
            "\n",
            code(_EXAMPLES["at"][0]),
        )
    pages = (len(records) - 1) // PAGE_SIZE + 1
    page = min(max(page, 0), pages - 1)
    first = page * PAGE_SIZE
    pieces: list[str | Styled] = [bold(tr("Schedules"))]
    rows = []
    for number, record in enumerate(records[first : first + PAGE_SIZE], first + 1):
        pieces += [f"\n{number}. {_line(record, now, zone)}"]
        rows.append(_row(record, str(page), f"{number}. "))
    rows += _turning(page, pages)
    return message(*pieces, buttons=tuple(rows))


def missed_reply(missed: Sequence[Missed], now: float, zone: tzinfo) -> ChatMessage:
    """Say which schedules missed moments, and offer to ask now.

    Args:
        missed: Of one place.
        now: Unix seconds.
        zone: Of the person's clock.
    """
    shown = missed[:PAGE_SIZE]
    lines = [tr("takopi was away, or its clock was wrong, when this was to be asked:")]
    for one in shown:
        assert one.record.next_at is not None, "what was missed had a moment"
        moment = format_moment(one.record.next_at, now, zone)
        prompt = one_line(one.record.prompt, _PREVIEW_UNITS)
        lines.append(
            tr_n(
                "{moment}: {prompt}",
                "{count} times since {moment}: {prompt}",
                one.times,
                moment=moment,
                prompt=prompt,
            )
        )
    if len(missed) > len(shown):
        more = len(missed) - len(shown)
        lines.append(tr_n("and {count} more", "and {count} more", more))
    rows = [
        (
            Button(
                tr("Run now: {prompt}", prompt=one_line(one.record.prompt, 30)),
                press_data(COMMAND, "run", one.record.schedule_id),
            ),
        )
        for one in shown
    ]
    return message("\n".join(lines), buttons=tuple(rows))


def skipped_reply(record: ScheduleRecord) -> ChatMessage:
    """Say that a schedule does not ask again while it has enough to do."""
    return message(
        tr(
            "Its last turn is still at work and one more waits for that, so this is left out until "
            "then ({when}): {prompt}",
            when=_when(record),
            prompt=one_line(record.prompt, _PREVIEW_UNITS),
        )
    )


def paused_reply(record: ScheduleRecord, why: str) -> ChatMessage:
    """Say that a schedule rests from now on, and why."""
    return message(
        tr(
            "This schedule was paused, because {why}: {prompt}",
            why=why,
            prompt=one_line(record.prompt, _PREVIEW_UNITS),
        ),
        "\n/schedules",
        buttons=(_row(replace(record, paused=True), ALONE),),
    )


def _line(record: ScheduleRecord, now: float, zone: tzinfo) -> str:
    if record.paused:
        state = tr("paused")
    elif record.next_at is None:
        state = tr("missed")
    else:
        state = format_moment(record.next_at, now, zone)
        state = (
            state if record.once else tr("{when}, next {moment}", when=_when(record), moment=state)
        )
    if record.waiting:
        state += tr(", waits for its last turn")
    where = record.engine or ""
    if record.project is not None:
        where += f" · {record.project}" + (f" @{record.branch}" if record.branch else "")
    return f"{state} · {where}\n    {one_line(record.prompt, _PREVIEW_UNITS)}"


def _row(record: ScheduleRecord, on_page: str, number: str = "") -> tuple[Button, ...]:
    name = record.schedule_id
    rest = Button(f"{number}" + tr("Pause"), press_data(COMMAND, "pause", name, on_page))
    if record.paused:
        rest = Button(f"{number}" + tr("Resume"), press_data(COMMAND, "resume", name, on_page))
    row = (
        Button(f"{number}" + tr("Run now"), press_data(COMMAND, "run", name, on_page)),
        rest,
        Button(f"{number}" + tr("Delete"), press_data(COMMAND, "delete", name, on_page)),
    )
    return row if record.next_at is not None else (row[0], row[2])


def _turning(page: int, pages: int) -> list[tuple[Button, ...]]:
    row = []
    if page:
        row.append(Button(tr("Back"), press_data(COMMAND, "page", str(page - 1))))
    if page + 1 < pages:
        row.append(Button(tr("More"), press_data(COMMAND, "page", str(page + 1))))
    return [tuple(row)] if row else []


def _names(record: ScheduleRecord) -> dict[str, str]:
    return {"engine": record.engine or "", "when": _when(record)}


def _when(record: ScheduleRecord) -> str:
    if not record.once:
        return tr("every {when}", when=record.when)
    # `at 18:30`, but `in 20m`, `tomorrow 9:00`, `2026-12-24 18:00`.
    said = record.when.removeprefix(ONCE)
    if said[:1].isdigit():
        return said if "-" in said else tr("at {time}", time=said)
    first, _, rest = said.partition(" ")
    forms = {"in": tr("in {time}", time=rest), "tomorrow": tr("tomorrow {time}", time=rest)}
    return forms.get(first.lower(), said)
