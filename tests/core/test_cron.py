"""Cron lines: what they name, and when they are due on clocks that are put forward and back."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.cron import CRON_NAMES, CronLine, NotUnderstood, next_after, read_cron
from takopi.core.local_times import day_start, gap_end, local_time, moments_of, one_moment

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (UTC, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"))


def read(line: str) -> CronLine:
    """Read a line that is right."""
    found = read_cron(line)
    assert isinstance(found, CronLine), found
    return found


def at(words: str, zone=BERLIN) -> float:
    """Say which moment the earlier one of a written time is."""
    return one_moment(datetime.fromisoformat(words), zone)


def due_times(line: str, since: str, count: int, zone=BERLIN) -> list[str]:
    """List when a line is due next, as the clock shows it, with the offset."""
    found, moment = [], at(since, zone)
    for _ in range(count):
        later = next_after(read(line), moment, zone)
        assert later is not None
        found.append(f"{datetime.fromtimestamp(later, zone):%m-%d %H:%M%z}")
        moment = later
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("30 9 * * *", "2026-11-22 09:30"),
        ("*/20 * * * *", "2026-11-21 18:20"),
        ("5,10-12 18 * * *", "2026-11-21 18:05"),
        ("0 8-17/3 * * *", "2026-11-22 08:00"),
        ("10/25 18 * * *", "2026-11-21 18:10"),
        ("0 9 * * mon-fri", "2026-11-23 09:00"),
        ("0 9 * * 7", "2026-11-22 09:00"),
        ("0 0 29 feb *", "2028-02-29 00:00"),
        ("0 0 29 2 */7", "2032-02-29 00:00"),
        ("0 0 1 * mon", "2026-11-23 00:00"),
        ("0 0 13 * */5", "2026-12-13 00:00"),
        ("@daily", "2026-11-22 00:00"),
        ("@Yearly", "2027-01-01 00:00"),
    ],
)
def test_the_next_time_is_the_first_that_the_line_names(line: str, expected: str) -> None:
    found = next_after(read(line), at("2026-11-21 18:00"), BERLIN)
    assert found == at(expected)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("60 * * * *", "60 is no minute"),
        ("* 24 * * *", "24 is no hour"),
        ("* * 0 * *", "0 is no day of the month"),
        ("* * * 13 *", "13 is no month"),
        ("* * * * 8", "8 is no day of the week"),
        ("5-3 * * * *", "5-3 is no minute"),
        ("*/0 * * * *", "*/0 is no minute"),
        ("*-5 * * * *", "*-5 is no minute"),
        (", * * * *", " is no minute"),
        ("1,,2 * * * *", " is no minute"),
        ("x * * * *", "x is no minute"),
        ("1-x * * * *", "1-x is no minute"),
        ("-1 * * * *", "-1 is no minute"),
        ("* * * *", "has 4"),
        ("@reboot", "has 1"),
        ("0 0 31 2 *", "no day is ever named by 0 0 31 2 *"),
        ("0 0 30 feb,feb *", "no day is ever named"),
        ("٣ * * * *", "is no minute"),
    ],
)
def test_what_is_wrong_is_named(line: str, why: str) -> None:
    found = read_cron(line)
    assert isinstance(found, NotUnderstood)
    assert why in found.why


def test_names_are_lines() -> None:
    for name, line in CRON_NAMES.items():
        assert read_cron(name) == read_cron(line)


def test_a_time_that_is_skipped_counts_when_the_clock_is_put_forward() -> None:
    """On 29 March 2026 there is no 02:30 in Berlin."""
    assert due_times("30 2 * * *", "2026-03-28 12:00", 2) == [
        "03-29 03:00+0200",
        "03-30 02:30+0200",
    ]


def test_a_time_that_comes_twice_counts_once() -> None:
    """On 25 October 2026 there are two times 02:30 in Berlin."""
    assert due_times("30 2 * * *", "2026-10-24 12:00", 2) == [
        "10-25 02:30+0200",
        "10-26 02:30+0100",
    ]


def test_a_line_for_every_hour_goes_by_the_hours_that_there_are() -> None:
    assert due_times("30 * * * *", "2026-03-29 01:00", 2) == [
        "03-29 01:30+0100",
        "03-29 03:30+0200",
    ]
    assert due_times("30 * * * *", "2026-10-25 02:00", 3) == [
        "10-25 02:30+0200",
        "10-25 02:30+0100",
        "10-25 03:30+0100",
    ]


def test_a_day_that_begins_later_begins_when_the_clock_was_put_forward() -> None:
    """In Beirut there is no 00:00 on 29 March 2026; and a whole day is missing in Samoa in 2011."""
    beirut = ZoneInfo("Asia/Beirut")
    noon = at("2026-03-29 12:00", beirut)
    assert f"{local_time(day_start(noon, beirut), beirut)}" == "2026-03-29 01:00:00"
    assert due_times("0 0 * * *", "2026-03-28 12:00", 1, beirut) == ["03-29 01:00+0300"]
    apia = ZoneInfo("Pacific/Apia")
    found = due_times("0 9 * * *", "2011-12-29 12:00", 2, apia)
    assert found == ["12-31 00:00+1400", "12-31 09:00+1400"]


def test_nothing_is_due_after_the_end_of_the_calendar() -> None:
    end = datetime(9998, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    assert next_after(read("0 0 1 1 *"), end, UTC) is None


def test_days_begin_where_the_zone_says() -> None:
    moment = at("2026-11-21 18:00")
    assert day_start(moment, BERLIN) == at("2026-11-21 00:00")
    assert day_start(moment, BERLIN, 6) == at("2026-11-15 00:00")
    assert day_start(moment, UTC) != day_start(moment, BERLIN)


# Laws.


def list_of(seed: int, lowest: int, highest: int) -> str:
    """Write up to three parts; a seed decides, as to draw each number is dear."""
    random = Random(seed)

    def part() -> str:
        begin, end = sorted(random.choices(range(lowest, highest + 1), k=2))
        step = f"/{random.randint(1, 12)}"
        return random.choice((f"{begin}", f"{end}", f"{begin}-{end}", f"{begin}-{end}{step}"))

    return ",".join(part() for _ in range(random.randint(1, 3)))


def fields(lowest: int, highest: int) -> st.SearchStrategy[str]:
    """Write a field in any of the ways."""
    return st.one_of(
        st.just("*"),
        st.integers(1, 12).map("*/{}".format),
        st.integers(0, 2**32).map(lambda seed: list_of(seed, lowest, highest)),
    )


LINES = st.tuples(fields(0, 59), fields(0, 23), fields(1, 28), fields(1, 12), fields(0, 7)).map(
    " ".join
)
# Around the changes of 2026, where it is interesting; and on a minute, where a line may be due.
CHANGES = st.sampled_from((1_774_656_000, 1_792_800_000))
MOMENTS = st.one_of(
    st.integers(1_600_000_000, 2_200_000_000),
    st.builds(lambda change, second: change + second, CHANGES, st.integers(0, 2 * 86400)),
    st.builds(lambda change, minute: change + 60 * minute, CHANGES, st.integers(0, 2 * 1440)),
).map(float)


def names(line: CronLine, moment: float, zone) -> bool:
    """Tell whether a moment is one that a line is due at."""
    local = local_time(moment, zone)
    if line.names(local):
        return True
    skipped = [local - timedelta(minutes=n) for n in range(1, 61)]
    gone = [one for one in skipped if not moments_of(one, zone)]
    return any(line.names(one) and gap_end(one, zone) == moment for one in gone)


@given(LINES, MOMENTS, st.sampled_from(ZONES))
def test_the_next_time_is_later_and_named(text: str, after: float, zone) -> None:
    line = read(text)
    found = next_after(line, after, zone)
    assert found is not None
    assert found > after
    assert names(line, found, zone)


@given(LINES, MOMENTS, st.sampled_from(ZONES))
def test_no_time_between_is_named(text: str, after: float, zone) -> None:
    """Minute by minute, for three hours, but for the second of two same times."""
    line = read(text)
    found = next_after(line, after, zone)
    assert found is not None
    begin = int(after) // 60 * 60 + 60
    for moment in range(begin, int(min(found, after + 3 * 3600)), 60):
        local = local_time(moment, zone)
        if line.names(local):
            assert not line.every_hour
            assert moments_of(local, zone)[0] < moment
