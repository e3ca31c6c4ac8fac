"""Moments by cron on days when clocks are changed: each comes once, in order, and none is left out."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from laurel_server.domain.cron import last_moment, next_moment

# When clocks are put forward or back: by an hour at night, by half an hour, and at midnight.
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 10, 29, 21, tzinfo=UTC)),
]
CRONS = ["0 0 * * *", "30 2 * * *", "15 0,1,2,3,23 * * *", "*/20 * * * *", "17 * * * *", "45 */2 1-7 * 5"]


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.parametrize("cron", CRONS)
def test_every_moment_lies_between_the_last_and_the_next(zone: str, change: datetime, cron: str) -> None:
    clock = ZoneInfo(zone)
    bounds = set()
    for minutes in range(-300, 300, 11):
        moment = change + timedelta(minutes=minutes)
        last, following = last_moment(cron, moment, clock), next_moment(cron, moment, clock)
        assert last <= moment < following
        assert next_moment(cron, last, clock) == following
        assert last_moment(cron, following, clock) == following
        bounds.add((last, following))
    assert all(ended == begun for (_, ended), (begun, _) in pairwise(sorted(bounds)))


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.parametrize("cron", ["1 0 * * *", "7 0 * * *", "30 2 * * *", "50 23 * * *"])
def test_what_comes_once_a_day_comes_every_day(zone: str, change: datetime, cron: str) -> None:
    moment = change - timedelta(days=2)
    days = []
    for _ in range(5):
        moment = next_moment(cron, moment, ZoneInfo(zone))
        days.append(moment.astimezone(ZoneInfo(zone)).date())
    assert all(after - before == timedelta(days=1) for before, after in pairwise(days))


def test_a_time_that_comes_twice_counts_the_first_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30, and again an hour later
    for minutes in range(91):
        assert last_moment("30 2 * * *", first + timedelta(minutes=minutes), berlin) == first
