from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.periods import (
    ALL_TIME,
    Period,
    PeriodType,
    check_occurred_at,
    next_period,
    parse_period_id,
    period_at,
    previous_period,
)
from tests.unit.domain.refusals import refused

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

# Clock changes at odd hours, at and around midnight, by half an hour, and a day that never was (Apia).
ZONES = st.sampled_from(
    [
        UTC,
        *map(
            ZoneInfo,
            [
                "UTC",
                "America/New_York",
                "Europe/Berlin",
                "Asia/Kathmandu",
                "Australia/Lord_Howe",
                "Pacific/Apia",
                "Pacific/Chatham",
                "America/Sao_Paulo",
                "America/Havana",
                "America/St_Johns",
                "Africa/Cairo",
                "Asia/Gaza",
            ],
        ),
    ]
)
TYPES = st.sampled_from([type_ for type_ in PeriodType if type_ is not PeriodType.ALL_TIME])
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
YEARS_WITH_ODD_CHANGES = st.datetimes(datetime(1987, 1, 1), datetime(2012, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("period_type", "moment", "period_id", "starts_at", "ends_at"),
    [
        (PeriodType.DAILY, "2026-11-23T23:59:59", "2026-11-23", "2026-11-23", "2026-11-24"),
        (PeriodType.DAILY, "2024-02-29T00:00:00", "2024-02-29", "2024-02-29", "2024-03-01"),
        (PeriodType.WEEKLY, "2026-11-23T00:00:00", "2026-W48", "2026-11-23", "2026-11-30"),
        (PeriodType.WEEKLY, "2026-11-22T23:59:59", "2026-W47", "2026-11-16", "2026-11-23"),
        (PeriodType.MONTHLY, "2026-12-31T23:59:59", "2026-12", "2026-12-01", "2027-01-01"),
        (PeriodType.MONTHLY, "2024-02-29T12:00:00", "2024-02", "2024-02-01", "2024-03-01"),
        (PeriodType.QUARTERLY, "2026-11-23T00:00:00", "2026-Q4", "2026-10-01", "2027-01-01"),
        (PeriodType.QUARTERLY, "2026-03-31T00:00:00", "2026-Q1", "2026-01-01", "2026-04-01"),
        (PeriodType.YEARLY, "2026-01-01T00:00:00", "2026", "2026-01-01", "2027-01-01"),
        # The ISO year of a week differs from the calendar's around New Year.
        (PeriodType.WEEKLY, "2025-12-29T00:00:00", "2026-W01", "2025-12-29", "2026-01-05"),
        (PeriodType.WEEKLY, "2027-01-03T23:59:59", "2026-W53", "2026-12-28", "2027-01-04"),
        (PeriodType.WEEKLY, "2024-12-30T00:00:00", "2025-W01", "2024-12-30", "2025-01-06"),
        (PeriodType.WEEKLY, "2021-01-01T00:00:00", "2020-W53", "2020-12-28", "2021-01-04"),
    ],
)
def test_periods(period_type: PeriodType, moment: str, period_id: str, starts_at: str, ends_at: str) -> None:
    assert period_at(period_type, _utc(moment), UTC) == Period(
        period_type, period_id, _utc(starts_at), _utc(ends_at)
    )


@pytest.mark.parametrize(
    ("zone", "day", "starts_at", "ends_at"),
    [
        ("America/New_York", "2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00"),  # 23 hours
        ("America/New_York", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00"),  # 25 hours
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30", "2026-10-04T13:00"),  # 23.5 hours
        ("America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00", "2017-10-16T02:00"),  # starts at 01:00
        ("America/Havana", "2025-11-02", "2025-11-02T04:00", "2025-11-03T05:00"),  # midnight twice
    ],
)
def test_a_day_goes_from_local_midnight_to_local_midnight(
    zone: str, day: str, starts_at: str, ends_at: str
) -> None:
    period = parse_period_id(day, ZoneInfo(zone), PeriodType.DAILY)
    assert (period.starts_at, period.ends_at) == (_utc(starts_at), _utc(ends_at))


def test_a_day_that_the_calendar_skipped_is_empty() -> None:
    apia = ZoneInfo("Pacific/Apia")
    skipped = parse_period_id("2011-12-30", apia, PeriodType.DAILY)
    assert skipped.starts_at == skipped.ends_at == _utc("2011-12-30T10:00")
    assert period_at(PeriodType.DAILY, _utc("2011-12-30T10:00"), apia).id == "2011-12-31"
    assert period_at(PeriodType.DAILY, _utc("2011-12-30T09:59"), apia).id == "2011-12-29"


def test_a_date_that_comes_back_after_midnight_does_not_reopen_its_day() -> None:
    st_johns = ZoneInfo("America/St_Johns")  # at 00:01 the clock went back to 23:01
    moments = [_utc("2006-10-29T02:29"), _utc("2006-10-29T02:31"), _utc("2006-10-29T03:29")]
    days = [period_at(PeriodType.DAILY, moment, st_johns).id for moment in moments]
    assert days == ["2006-10-28", "2006-10-29", "2006-10-29"]


@given(TYPES, MOMENTS | YEARS_WITH_ODD_CHANGES, ZONES)
def test_a_moment_lies_in_its_period_and_in_neither_neighbour(
    period_type: PeriodType, moment: datetime, zone: tzinfo
) -> None:
    period = period_at(period_type, moment, zone)
    assert period.contains(moment)
    assert not next_period(period, zone).contains(moment)
    assert not previous_period(period, zone).contains(moment)


@given(TYPES, MOMENTS | YEARS_WITH_ODD_CHANGES, ZONES)
def test_periods_follow_each_other_without_gap_or_overlap(
    period_type: PeriodType, moment: datetime, zone: tzinfo
) -> None:
    period = period_at(period_type, moment, zone)
    chain = [previous_period(period, zone), period, next_period(period, zone)]
    assert all(earlier.ends_at == later.starts_at for earlier, later in pairwise(chain))


@given(TYPES, MOMENTS | YEARS_WITH_ODD_CHANGES, ZONES)
def test_the_bounds_of_a_period_are_half_open(
    period_type: PeriodType, moment: datetime, zone: tzinfo
) -> None:
    period = period_at(period_type, moment, zone)
    assert period.starts_at is not None
    assert period.ends_at is not None
    assert period_at(period_type, period.starts_at, zone) == period
    assert period_at(period_type, period.ends_at - TICK, zone) == period
    assert period_at(period_type, period.ends_at, zone) != period


@given(TYPES, MOMENTS, ZONES)
def test_next_and_previous_undo_each_other(period_type: PeriodType, moment: datetime, zone: tzinfo) -> None:
    period = period_at(period_type, moment, zone)
    assert previous_period(next_period(period, zone), zone) == period
    assert next_period(previous_period(period, zone), zone) == period


@given(TYPES, MOMENTS, ZONES)
def test_an_id_reads_back_as_its_period(period_type: PeriodType, moment: datetime, zone: tzinfo) -> None:
    period = period_at(period_type, moment, zone)
    assert parse_period_id(period.id, zone, period_type) == period
    assert parse_period_id(period.id, zone) == period


@given(MOMENTS)
def test_ids_of_one_type_sort_by_time(moment: datetime) -> None:
    for period_type in PeriodType:
        later = period_at(period_type, moment + timedelta(days=400), UTC)
        assert period_at(period_type, moment, UTC).id <= later.id


def test_all_time_has_no_bounds_and_no_neighbours() -> None:
    assert period_at(PeriodType.ALL_TIME, NOW, UTC) is ALL_TIME
    assert parse_period_id("all", UTC) is parse_period_id("all", UTC, PeriodType.ALL_TIME) is ALL_TIME
    assert ALL_TIME.contains(NOW)
    for neighbour in (next_period, previous_period):
        with pytest.raises(ValueError, match="no neighbours"):
            neighbour(ALL_TIME, UTC)


@pytest.mark.parametrize(
    ("text", "period_type"),
    [
        *(
            ("", None),
            ("tomorrow", None),
            ("ALL", None),
            ("2026-13", None),
            ("2026-00", None),
            ("2026-02-30", None),
        ),
        *(("2025-W53", None), ("2026-W54", None), ("2026-W00", None), ("2026-Q5", None), ("2026-Q0", None)),
        *(("0000", None), ("26", None), ("2026-1", None), ("2026-W8", None), ("2026-11-23T00", None)),
        *(("2026-w48", None), (" 2026", None), ("2026\n", None), ("\u0662\u0660\u0662\u0666", None)),
        ("2026-W48", PeriodType.MONTHLY),
        ("2026-11", PeriodType.DAILY),
        ("2026-11-23", PeriodType.ALL_TIME),
        ("all", PeriodType.WEEKLY),
    ],
)
def test_malformed_ids_are_refused(text: str, period_type: PeriodType | None) -> None:
    with refused(Reason.INVALID_FIELD, "board.period_id"):
        parse_period_id(text, UTC, period_type)


@pytest.mark.parametrize(
    "text", ["0001", "0001-01-01", "0001-W01", "9999", "9999-12-31", "9999-W52", "9999-Q4"]
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_ids_at_the_ends_of_the_calendar_name_periods_too(text: str, zone: str) -> None:
    period = parse_period_id(text, ZoneInfo(zone))
    assert period.id == text
    assert period.starts_at is not None
    assert period.ends_at is not None
    assert period.starts_at <= period.ends_at


def test_a_period_stays_open_through_its_grace() -> None:
    day = period_at(PeriodType.DAILY, NOW, UTC)
    end = _utc("2026-11-24")
    assert day.open_at(NOW, HOUR)
    assert day.open_at(end + HOUR - TICK, HOUR)
    assert not day.open_at(end + HOUR, HOUR)
    assert not day.open_at(end, timedelta())
    assert ALL_TIME.open_at(_utc("4000-01-01"), timedelta())


def test_occurred_at_may_be_a_little_ahead_of_the_clock() -> None:
    check_occurred_at(NOW + timedelta(minutes=5), NOW)
    check_occurred_at(NOW - timedelta(days=10_000), NOW)


@pytest.mark.parametrize(
    "occurred_at", [NOW + timedelta(minutes=5) + TICK, datetime(1969, 12, 31, tzinfo=UTC)]
)
def test_occurred_at_must_be_possible(occurred_at: datetime) -> None:
    with refused(Reason.INVALID_FIELD, "occurred_at"):
        check_occurred_at(occurred_at, NOW)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("period_type", PeriodType)
def test_who_names_no_period_is_shown_an_id_that_does(period_type: PeriodType) -> None:
    with pytest.raises(LaurelError) as caught:
        parse_period_id("nonsense", UTC, period_type)
    example = str(caught.value).rpartition(" ")[2]
    assert parse_period_id(example, UTC, period_type).id == example
