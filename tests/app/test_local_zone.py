"""The time zone of the system."""

from datetime import datetime, timedelta
from pathlib import Path

from takopi.app.local_zone import local_zone


def offset(zone, month: int) -> timedelta | None:
    """Say how far a zone is from UTC in a month of 2026."""
    return datetime(2026, month, 1, 12, tzinfo=zone).utcoffset()


def test_the_variable_goes_before_the_file() -> None:
    for name in ("Europe/Berlin", ":Europe/Berlin"):
        zone = local_zone({"TZ": name}, Path("/usr/share/zoneinfo/America/New_York"))
        assert [offset(zone, month) for month in (1, 7)] == [timedelta(hours=1), timedelta(hours=2)]


def test_the_systems_file_is_read_with_its_changes(tmp_path: Path) -> None:
    zone = local_zone({}, Path("/usr/share/zoneinfo/Europe/Berlin"))
    assert [offset(zone, month) for month in (1, 7)] == [timedelta(hours=1), timedelta(hours=2)]


def test_what_cannot_be_read_leaves_the_present_offset(tmp_path: Path) -> None:
    """A bot is better an hour wrong twice a year than not there."""
    broken = tmp_path / "localtime"
    broken.write_bytes(b"no zone")
    for zone in (
        local_zone({"TZ": "CET-1CEST"}),
        local_zone({"TZ": "../../etc/passwd"}),
        local_zone({}, tmp_path / "none"),
        local_zone({}, broken),
    ):
        assert offset(zone, 1) == offset(zone, 7)
