"""When schedules are due: what people write, and what clocks do meanwhile."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.chat import Scope
from takopi.core.cron import NotUnderstood
from takopi.core.local_times import one_moment
from takopi.core.schedule_replies import (
    Missed,
    format_moment,
    missed_reply,
    one_schedule,
    schedule_list,
    schedule_note,
)
from takopi.core.schedule_times import Once, Repeat, next_time, read_at, read_every, read_repeat
from takopi.core.schedules import (
    ScheduleRecord,
    due,
    going_on,
    in_step,
    passed,
    times_missed,
)
from takopi.core.texts import use_texts

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0


def at(words: str) -> float:
    """Say which moment a written time in Berlin is."""
    return one_moment(datetime.fromisoformat(words), BERLIN)


NOW = at("2026-11-21 18:00")  # a Saturday


def schedule(when: str = "1h", **more) -> ScheduleRecord:
    """Make a schedule of an hour ago."""
    given = {"next_at": NOW, "made_at": NOW - HOUR, "prompt": "check", "engine": "codex", **more}
    return ScheduleRecord(
        schedule_id="s1",
        scope=Scope("memory", 1),
        chat_kind="private",
        person=1,
        when=when,
        **given,
    )


@pytest.mark.parametrize(
    ("text", "when", "timing", "prompt"),
    [
        ("30m check it", "30m", 1800, "check it"),
        ("every 2 hours check it", "2 hours", 7200, "check it"),
        ("1d check", "1d", 86400, "check"),
        ("1h30m check", "1h30m", 5400, "check"),
        ("1h 30m check", "1h 30m", 5400, "check"),
        ("30m 2h of music", "30m", 1800, "2h of music"),
        ("2 weeks 3 days x", "2 weeks", 14 * 86400, "3 days x"),
        ("hour check", "hour", 3600, "check"),
        ("30m\ncheck\nit", "30m", 1800, "check\nit"),
    ],
)
def test_intervals_are_read(text: str, when: str, timing: float, prompt: str) -> None:
    assert read_every(text) == Repeat(when, timing, prompt)


@pytest.mark.parametrize(
    ("text", "same_as", "prompt"),
    [
        ("*/5 * * * * check it", "*/5 * * * *", "check it"),
        ("0  9 * * mon-fri\ncheck it", "0 9 * * 1-5", "check it"),
        ("@daily check", "0 0 * * *", "check"),
        ("day 9:00 check", "0 9 * * *", "check"),
        ("day at 9pm check", "0 21 * * *", "check"),
        ("weekday 9:30 am check", "30 9 * * 1-5", "check"),
        ("weekend 12am check", "0 0 * * 0,6", "check"),
        ("Monday at 12pm check", "0 12 * * 1", "check"),
        ("sun 8:05 check", "5 8 * * 0", "check"),
    ],
)
def test_lines_and_times_of_days_are_read(text: str, same_as: str, prompt: str) -> None:
    read, other = read_every(text), read_every(same_as)
    assert isinstance(read, Repeat)
    assert isinstance(other, Repeat)
    assert read.prompt == prompt
    both = [next_time(one.timing, 0.0, NOW, BERLIN) for one in (read, other)]
    assert both[0] == both[1]
    assert read_repeat(read.when) == read.timing


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no interval and no cron line"),
        ("check the build", "no interval and no cron line"),
        ("30s check", "the shortest interval is 1 minute"),
        ("0m check", "the shortest interval is 1 minute"),
        ("400 days check", "the longest interval is 366 days"),
        ("5 files", "has 2"),
        ("61 * * * * check", "61 is no minute"),
        ("day 25:00 check", "day 25:00 is no time of a day"),
        ("day 13pm check", "is no time of a day"),
    ],
)
def test_what_cannot_be_repeated_is_told(text: str, why: str) -> None:
    found = read_every(text)
    assert isinstance(found, NotUnderstood)
    assert why in found.why


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("18:30 go", "2026-11-21 18:30"),
        ("17:00 go", "2026-11-22 17:00"),
        ("18:00 go", "2026-11-22 18:00"),
        ("6:30pm go", "2026-11-21 18:30"),
        ("at 7 pm go", "2026-11-21 19:00"),
        ("today 20:00 go", "2026-11-21 20:00"),
        ("tomorrow 9:00 go", "2026-11-22 09:00"),
        ("tomorrow at 9am go", "2026-11-22 09:00"),
        ("2026-12-24 18:00 go", "2026-12-24 18:00"),
        ("2026-12-24T18:00 go", "2026-12-24 18:00"),
        ("monday 9:00 go", "2026-11-23 09:00"),
        ("sat 19:00 go", "2026-11-21 19:00"),
        ("sat 17:00 go", "2026-11-28 17:00"),
        ("in 20m go", "2026-11-21 18:20"),
        ("in 2 days go", "2026-11-23 18:00"),
        ("2026-03-29 02:30 go", None),
        ("2027-03-28 02:30 go", "2027-03-28 03:00"),
    ],
)
def test_moments_are_read(text: str, moment: str | None) -> None:
    """A time that the clock skips is when it is put forward."""
    found = read_at(text, NOW, BERLIN)
    if moment is None:
        assert isinstance(found, NotUnderstood)
        return
    assert isinstance(found, Once)
    assert (found.moment, found.prompt) == (at(moment), "go")
    assert read_repeat(found.when) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no time was found"),
        ("go on", "no time was found"),
        ("in the evening go", "no time was found"),
        ("9 go", "no time was found"),
        ("25:00 go", "25:00 is no time of a day"),
        ("0am go", "0am is no time of a day"),
        ("2026-02-30 9:00 go", "there is no day 2026-02-30"),
        ("0001-01-01 9:00 go", "0001-01-01 is over already"),
        ("9999-12-31 23:59 go", "9999-12-31 is too far away"),
        ("today 9:00 go", "today 9:00 is over already"),
        ("in 10 seconds go", "the shortest interval is 1 minute"),
    ],
)
def test_what_is_no_moment_is_told(text: str, why: str) -> None:
    found = read_at(text, NOW, BERLIN)
    assert isinstance(found, NotUnderstood)
    assert why in found.why


@given(st.text(max_size=40))
def test_anything_can_be_typed(text: str) -> None:
    """And what is read is read again as it was kept."""
    found = read_every(text)
    if isinstance(found, Repeat):
        assert read_repeat(found.when) == found.timing
    read_at(text, NOW, BERLIN)


@given(st.integers(60, 366 * 86400), st.floats(0, 2e9), st.floats(0, 2e9).filter(lambda x: x == x))
def test_an_interval_keeps_its_step(seconds: int, anchor: float, after: float) -> None:
    found = next_time(float(seconds), anchor, after, UTC)
    assert found is not None
    assert after < found <= after + seconds + 0.001
    assert abs((found - anchor) / seconds - round((found - anchor) / seconds)) < 1e-6


def test_a_schedule_is_due_in_time_and_missed_later() -> None:
    record = schedule()
    assert [due(record, NOW + s) for s in (-1, 0, 120, 121)] == ["no", "now", "now", "missed"]
    assert due(schedule(paused=True), NOW) == "no"
    assert due(schedule(next_at=None), NOW) == "no"


def test_what_was_asked_goes_on_with_the_next_moment() -> None:
    after = passed(schedule(), NOW + 3, BERLIN)
    assert (after.last_at, after.next_at) == (NOW, NOW + HOUR)
    after = passed(schedule(), NOW + 5.5 * HOUR, BERLIN, asked=False)
    assert (after.last_at, after.next_at) == (None, NOW + 6 * HOUR)
    assert passed(schedule("at 18:00"), NOW, BERLIN).next_at is None


def test_what_was_missed_is_counted() -> None:
    assert times_missed(schedule(), NOW + 5.5 * HOUR, BERLIN) == 6
    assert times_missed(schedule("at 18:00"), NOW + 5.5 * HOUR, BERLIN) == 1
    assert times_missed(schedule("1m"), NOW + 500 * HOUR, BERLIN) == 100


def test_what_rested_goes_on_from_now() -> None:
    rested = schedule(paused=True)
    assert going_on(rested, NOW + 2.5 * HOUR, BERLIN).next_at == NOW + 3 * HOUR
    once = schedule("at 18:00", paused=True)
    assert going_on(once, NOW + 5, BERLIN) == schedule("at 18:00")


def test_a_clock_that_was_wrong_by_years_keeps_nothing_waiting() -> None:
    """Its last time and its next one lie in a future that was none."""
    future = NOW + 9000 * HOUR
    record = schedule(next_at=future + HOUR, last_at=future)
    assert in_step(record, NOW + 5, BERLIN).next_at == NOW + HOUR


def test_a_clock_that_is_put_back_a_little_asks_nothing_twice() -> None:
    record = schedule(next_at=NOW + HOUR, last_at=NOW)
    assert in_step(record, NOW - 600, BERLIN) is record
    # An hour and more is a clock that was wrong.
    assert in_step(record, NOW - 1.5 * HOUR, BERLIN).next_at == NOW - HOUR


def test_another_time_zone_moves_what_goes_by_the_clock_on_the_wall() -> None:
    record = schedule("0 20 * * *", next_at=at("2026-11-21 20:00"))
    assert in_step(record, NOW, BERLIN) is record
    assert in_step(record, NOW, UTC).next_at == at("2026-11-21 21:00")
    once = schedule("at 20:00", next_at=at("2026-11-21 20:00"))
    assert in_step(once, NOW, UTC) is once


def test_moments_are_written_as_near_ones() -> None:
    texts = [
        format_moment(at(words), NOW, BERLIN)
        for words in ("2026-11-21 18:30", "2026-11-22 09:00", "2026-12-24 18:00")
    ]
    assert texts == ["18:30", "tomorrow 09:00", "2026-12-24 18:00"]


def test_lists_show_state_place_and_buttons_page_by_page() -> None:
    records = [
        schedule(),
        schedule(paused=True, project="zed", branch="dev"),
        schedule("at 18:30", next_at=at("2026-11-21 18:30"), project="zed"),
        schedule("at 17:30", next_at=None),
        schedule("0 9 * * 1", next_at=at("2026-11-23 09:00"), waiting=True),
        *[schedule()] * 5,
    ]
    first = schedule_list(records, 0, NOW, BERLIN)
    lines = first.body.text.splitlines()
    assert lines[1] == "1. every 1h, next 18:00 · codex"
    assert lines[3] == "2. paused · codex · zed @dev"
    assert lines[5] == "3. 18:30 · codex · zed"
    assert lines[7] == "4. missed · codex"
    assert lines[9] == "5. every 0 9 * * 1, next 2026-11-23 09:00, waits for its last turn · codex"
    labels = [[button.label for button in row] for row in first.buttons]
    assert labels[0] == ["1. Run now", "1. Pause", "1. Delete"]
    assert labels[1][1] == "2. Resume"
    assert labels[3] == ["4. Run now", "4. Delete"]
    assert labels[-1] == ["More"]
    last = schedule_list(records, 99, NOW, BERLIN)
    assert last.body.text.splitlines()[1].startswith("9. ")
    assert [b.label for b in last.buttons[-1]] == ["Back"]
    assert "Nothing is scheduled here" in schedule_list([], 0, NOW, BERLIN).body.text


def test_every_text_fits_whatever_is_asked() -> None:
    long = schedule(prompt="😀" * 4000, when="1h", project="p" * 32, branch="b" * 200)
    for words in (
        schedule_list([long] * 50, 0, NOW, BERLIN),
        missed_reply([Missed(long, 100)] * 50, NOW, BERLIN),
        one_schedule(long, NOW, BERLIN),
    ):
        assert len(words.body.text.encode("utf-16-le")) // 2 <= 4096
        assert all(len(b.data.encode()) <= 64 for row in words.buttons for b in row)
    assert "and 42 more" in missed_reply([Missed(long, 1)] * 50, NOW, BERLIN).body.text
    assert schedule_note(schedule()) == "scheduled, every 1h: check"
    missed = one_schedule(schedule("at 17:30", next_at=None), NOW, BERLIN)
    assert "is asked at 17:30\ncheck\ntakopi was away then; nothing was asked." in missed.body.text
    assert [button.label for button in missed.buttons[0]] == ["Run now", "Delete"]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("at 18:00", "at 18:00"),
        ("at 6pm", "at 6pm"),
        ("at in 20m", "in 20m"),
        ("at tomorrow 9:00", "tomorrow 9:00"),
        ("at 2026-12-24 18:00", "2026-12-24 18:00"),
    ],
)
def test_a_moment_is_named_as_people_name_it(when, said) -> None:
    """Only a time of the day goes with `at`; another language has words of its own for that."""
    assert schedule_note(schedule(when)) == f"scheduled, {said}: check"
    use_texts("es", {"at {time}": "a las {time}", "in {time}": "en {time}"})
    try:
        there = said.replace("at ", "a las ").replace("in ", "en ")
        assert schedule_note(schedule(when)) == f"scheduled, {there}: check"
    finally:
        use_texts("en", {})
