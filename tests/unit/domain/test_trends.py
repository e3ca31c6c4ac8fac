"""Stretches of time, and what fills the gaps in them."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from laurel_server.domain.errors import LaurelError
from laurel_server.domain.trends import Granularity, Measured, Metric, TrendQuery, filled, starts

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def query(
    granularity: Granularity,
    from_time: datetime,
    to_time: datetime,
    metric: Metric = Metric.POINTS,
    zone: tzinfo = UTC,
) -> TrendQuery:
    return TrendQuery(metric, granularity, from_time, to_time, zone, user_id="ada")


def test_stretches_touch_the_time_asked_for_and_no_other() -> None:
    noon = NEW_YEAR + timedelta(hours=12)
    assert starts(query(Granularity.DAY, noon, noon + timedelta(days=1))) == [
        NEW_YEAR,
        NEW_YEAR + timedelta(days=1),
    ]
    assert starts(query(Granularity.DAY, NEW_YEAR, NEW_YEAR + timedelta(days=1))) == [NEW_YEAR]
    assert len(starts(query(Granularity.HOUR, noon, noon + timedelta(hours=3)))) == 3


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    year = query(Granularity.WEEK, NEW_YEAR, NEW_YEAR + timedelta(days=8))
    assert [each.date().isoformat() for each in starts(year)] == ["2026-12-28", "2027-01-04"]
    months = query(Granularity.MONTH, NEW_YEAR, NEW_YEAR + timedelta(days=32))
    assert [each.date().isoformat() for each in starts(months)] == ["2027-01-01", "2027-02-01"]


def test_days_are_those_of_the_time_zone_also_when_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    march = datetime(2027, 3, 27, 23, tzinfo=UTC)  # midnight of the day that has 23 hours
    found = starts(query(Granularity.DAY, march, march + timedelta(hours=24), zone=berlin))
    assert found == [march, march + timedelta(hours=23)]


def test_a_day_that_a_place_left_out_is_no_stretch() -> None:
    december = datetime(2011, 12, 28, tzinfo=UTC)
    asked = query(Granularity.DAY, december, december + timedelta(days=4), zone=ZoneInfo("Pacific/Apia"))
    assert [each.day for each in starts(asked)] == [27, 28, 29, 30, 31]
    assert len(set(starts(asked))) == 5


def test_too_many_stretches_are_refused() -> None:
    with pytest.raises(LaurelError) as refused:
        starts(query(Granularity.HOUR, NEW_YEAR, NEW_YEAR + timedelta(days=417)))
    assert refused.value.field == "granularity"


@pytest.mark.parametrize(
    ("metric", "values"),
    [(Metric.POINTS, [0, 5, 0]), (Metric.LIABILITY, [2, 7, 7]), (Metric.RANK, [2, 5, 5])],
)
def test_gaps_are_nothing_or_what_was_before(metric: Metric, values: list[float]) -> None:
    asked = query(Granularity.DAY, NEW_YEAR, NEW_YEAR + timedelta(days=3), metric)
    begins = starts(asked)
    found = [Measured(begins[1], "", 5), *([Measured(None, "", 2)] if metric is not Metric.POINTS else [])]
    assert [point.value for point in filled(asked, begins, found)] == values


def test_a_rank_that_was_never_known_has_no_point() -> None:
    asked = query(Granularity.DAY, NEW_YEAR, NEW_YEAR + timedelta(days=3), Metric.RANK)
    begins = starts(asked)
    assert filled(asked, begins, []) == []
    assert [point.time for point in filled(asked, begins, [Measured(begins[2], "", 4)])] == [begins[2]]


def test_points_go_by_time_and_then_by_series() -> None:
    asked = query(Granularity.DAY, NEW_YEAR, NEW_YEAR + timedelta(days=2))
    begins = starts(asked)
    points = filled(asked, begins, [Measured(begins[0], "b", 1), Measured(begins[1], "a", 2)])
    assert [(point.series, point.value) for point in points] == [("a", 0), ("b", 1), ("a", 2), ("b", 0)]
