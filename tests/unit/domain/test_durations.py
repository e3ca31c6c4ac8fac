from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.durations import CalendarDuration, end_of_month
from laurel_server.domain.errors import Reason
from tests.unit.domain.refusals import refused

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(4000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "months", "time"),
    [
        ("P1Y", 12, timedelta()),
        ("P18M", 18, timedelta()),
        ("P2W", 0, timedelta(weeks=2)),
        ("P30D", 0, timedelta(days=30)),
        ("PT90M", 0, timedelta(minutes=90)),
        ("PT1S", 0, timedelta(seconds=1)),
        ("P0Y1D", 0, timedelta(days=1)),
        ("P1Y2M10DT2H", 14, timedelta(days=10, hours=2)),
        ("P1000Y", 12_000, timedelta()),
    ],
)
def test_durations(text: str, months: int, time: timedelta) -> None:
    assert CalendarDuration.parse(text) == CalendarDuration(months, time)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "P",
            "PT",
            "P1YT",
            "1Y",
            "P1",
            "PY",
            "p1y",
            "P-1D",
            "-P1D",
            "P1.5D",
            "PT0,5H",
            "P1D1M",
            "PT1D",
            " P1D",
        ),
        *("P0D", "PT0S", "P1001Y", "P999999999999D", "P" + "1" * 50 + "D", "P1Y\n", "P\u0661D"),
    ],
)
def test_what_is_no_duration(text: str) -> None:
    with refused(Reason.INVALID_FIELD, "config.expires_after"):
        CalendarDuration.parse(text, "config.expires_after")


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2024-02-29T10:00", "P1Y", "2025-02-28T10:00"),
        ("2024-02-29T10:00", "P4Y", "2028-02-29T10:00"),
        ("2026-01-31T00:00", "P1M", "2026-02-28T00:00"),
        ("2026-12-31T23:59", "P2M", "2027-02-28T23:59"),
        ("2026-11-30T00:00", "P1M", "2026-12-30T00:00"),
        ("2026-12-01T00:00", "P12M", "2027-12-01T00:00"),
        ("2026-01-31T00:00", "P1M1D", "2026-03-01T00:00"),
        ("2024-02-29T23:00", "P1Y2M10DT2H", "2025-05-10T01:00"),
        ("2026-11-23T12:00", "P30D", "2026-12-23T12:00"),
    ],
)
def test_months_are_added_first_and_clamped(start: str, duration: str, end: str) -> None:
    after = CalendarDuration.parse(duration).after(datetime.fromisoformat(start).replace(tzinfo=UTC))
    assert after == datetime.fromisoformat(end).replace(tzinfo=UTC)


@given(MOMENTS, st.integers(1, 12_000))
def test_months_lead_to_the_month_that_many_later_at_the_same_time(moment: datetime, months: int) -> None:
    after = CalendarDuration(months, timedelta()).after(moment)
    assert (after.year - moment.year) * 12 + after.month - moment.month == months
    assert after.timetz() == moment.timetz()
    assert after.day == moment.day or (after.day < moment.day and (after + timedelta(days=1)).day == 1)


@given(MOMENTS, MOMENTS, st.integers(0, 1200), st.integers(0, 10_000))
def test_what_was_earned_later_never_expires_earlier(
    first: datetime, second: datetime, months: int, days: int
) -> None:
    duration = CalendarDuration(months, timedelta(days=days))
    earlier, later = sorted([first, second])
    assert duration.after(earlier) <= duration.after(later)


@pytest.mark.parametrize("duration", ["P1Y", "P12M", "P366D"])
def test_the_end_of_the_calendar_is_refused(duration: str) -> None:
    with refused(Reason.INVALID_FIELD, "expires_after"):
        CalendarDuration.parse(duration).after(datetime(9999, 6, 1, tzinfo=UTC))


def test_the_end_of_a_month_is_where_the_next_one_starts() -> None:
    noon = datetime(2026, 12, 23, 12, 30, 5, 7, tzinfo=UTC)
    assert end_of_month(noon, UTC) == datetime(2027, 1, 1, tzinfo=UTC)
    assert end_of_month(datetime(2027, 1, 1, tzinfo=UTC), UTC) == datetime(2027, 2, 1, tzinfo=UTC)


def test_the_end_of_a_month_follows_the_zone() -> None:
    evening = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)  # in Berlin it is April, and summer time
    assert end_of_month(evening, ZoneInfo("Europe/Berlin")) == datetime(2026, 4, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland"])
@pytest.mark.parametrize("months", [1, 3, 12, 24])
def test_what_is_earned_in_one_month_lives_to_the_same_end(zone: str, months: int) -> None:
    """From the first to the last moment of each month of some years, leap years and changed clocks among them."""
    here, duration = ZoneInfo(zone), CalendarDuration(months, timedelta())
    for month in range(2027 * 12 + 1, 2029 * 12):
        begins, ends, expected = (
            datetime(number // 12, number % 12 + 1, 1, tzinfo=here).astimezone(UTC)
            for number in (month, month + 1, month + months + 1)
        )
        moments = (
            begins,
            begins + timedelta(minutes=30),
            begins + timedelta(hours=13),
            ends - timedelta(hours=1),
        )
        for moment in (*moments, ends - timedelta(microseconds=1)):
            assert duration.month_end_after(moment, here) == expected, moment


def test_exact_time_behind_months_is_not_that_of_the_clocks_on_the_wall() -> None:
    """In Berlin the day of 25 October 2026 has 25 hours, so that one of 24 ends before midnight."""
    berlin, duration = ZoneInfo("Europe/Berlin"), CalendarDuration.parse("P1M7DT24H")
    earned = datetime(2026, 9, 23, 22, tzinfo=UTC)  # midnight there
    assert duration.month_end_after(earned, berlin) == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert CalendarDuration.parse("P1M7DT25H").month_end_after(earned, berlin) == datetime(
        2026, 11, 30, 23, tzinfo=UTC
    )
