"""Stretches of trends against brute force: hours, days, weeks and months where clocks change, and leap months.

The oracle walks over the time asked for in steps of a quarter of an hour and asks the time zone what its clocks show.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from laurel_server.domain.trends import Granularity, Metric, TrendQuery
from tests.integration.analytics.conftest import Analysed
from tests.integration.wired import START, give

STEP = timedelta(minutes=15)
HOUR, DAY, WEEK, MONTH = Granularity

_SHOWN: dict[Granularity, Callable[[datetime], Hashable]] = {
    HOUR: lambda local: (local.date(), local.hour, local.fold),
    DAY: lambda local: local.date(),
    WEEK: lambda local: local.isocalendar()[:2],
    MONTH: lambda local: (local.year, local.month),
}

Asked = tuple[Granularity, datetime, datetime, ZoneInfo]
Expected = list[tuple[datetime, float]]


def expected(query: TrendQuery, awards: list[tuple[datetime, int]]) -> Expected:
    """Return each stretch that touches the time asked for, with the points of the awards within that time."""
    shown = _SHOWN[query.granularity]

    def key(moment: datetime) -> Hashable:
        return shown(moment.astimezone(query.zone))

    begins: dict[Hashable, datetime] = {}
    moment = query.from_time - timedelta(days=32)
    while moment < query.to_time:
        begins.setdefault(key(moment), moment)
        moment += STEP
    points: dict[Hashable, float] = defaultdict(float)
    for occurred_at, number in awards:
        if query.from_time <= occurred_at < query.to_time:
            points[key(occurred_at)] += number
    first = key(query.from_time)
    return [(begin, points[each]) for each, begin in begins.items() if begin >= begins[first]]


def at(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


CASES = [
    pytest.param("Europe/Berlin", HOUR, "2027-03-27T22:00", "2027-03-29T02:00", id="hours, one is missing"),
    pytest.param("Europe/Berlin", HOUR, "2027-10-30T22:00", "2027-11-01T02:00", id="hours, one comes twice"),
    pytest.param("Asia/Kolkata", HOUR, "2027-06-30T20:00", "2027-07-01T04:00", id="hours at half past in UTC"),
    pytest.param("Asia/Kathmandu", HOUR, "2027-06-30T20:00", "2027-07-01T04:00", id="hours at a quarter"),
    pytest.param("America/New_York", DAY, "2027-03-12T10:30", "2027-03-16T09:15", id="days, one of 23 hours"),
    pytest.param("America/New_York", DAY, "2027-11-05T00:00", "2027-11-09T00:00", id="days, one of 25 hours"),
    pytest.param("Africa/Cairo", DAY, "2027-04-28T00:00", "2027-05-02T00:00", id="days, one without midnight"),
    pytest.param("Pacific/Apia", DAY, "2011-12-28T00:00", "2012-01-02T00:00", id="days, one is missing"),
    pytest.param("Asia/Tokyo", WEEK, "2027-12-20T00:00", "2028-01-20T00:00", id="weeks over new year"),
    pytest.param("Europe/Berlin", WEEK, "2027-03-20T05:00", "2027-04-09T05:00", id="weeks, clocks change"),
    pytest.param("UTC", MONTH, "2028-01-15T00:00", "2028-04-02T00:00", id="months, a leap February"),
    pytest.param("America/New_York", MONTH, "2027-02-01T00:00", "2027-04-01T00:00", id="months, clocks change"),
    pytest.param("Pacific/Kiritimati", MONTH, "2027-12-01T00:00", "2028-03-01T00:00", id="months ahead of UTC"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "granularity", "first", "last"), CASES)
async def test_awards_are_counted_in_the_stretches_that_clocks_show(
    analysed: Analysed, name: str, granularity: Granularity, first: str, last: str
) -> None:
    zone, draw = ZoneInfo(name), random.Random(f"{name} {first}")
    from_time, to_time = at(first, zone), at(last, zone)
    query = TrendQuery(Metric.POINTS, granularity, from_time, to_time, zone)
    span = (to_time - from_time) / timedelta(minutes=1)
    moments = [from_time + timedelta(minutes=draw.randrange(-60, int(span) + 60)) for _ in range(25)]
    edges = [begin for begin, _ in expected(query, [])]
    moments += [edge + away for edge in edges[:12] for away in (timedelta(0), timedelta(microseconds=-1))]
    awards = [(moment, number) for number, moment in enumerate(moments, start=1)]
    async with analysed() as parts:
        assert parts.clock is not None
        await parts.clock.set(datetime(2028, 6, 1, tzinfo=UTC))
        for occurred_at, points in awards:
            await give(parts, "ann", points, occurred_at=occurred_at)
        assert parts.trends is not None
        told = await parts.trends.trend(query)
    wanted = expected(query, awards)
    assert [(point.time, point.value) for point in told] == wanted
    assert sum(point.value for point in told) == sum(n for at_, n in awards if from_time <= at_ < to_time)


async def test_empty_stretches_are_zero_and_levels_go_on_by_hours_and_months(analysed: Analysed) -> None:
    zone = ZoneInfo("Europe/Berlin")
    async with analysed() as parts:
        assert parts.clock is not None
        assert parts.trends is not None
        await parts.clock.set(at("2028-01-31T23:30", zone))
        await give(parts, "ann", 6000)
        one_day = TrendQuery(Metric.POINTS, DAY, START, START + timedelta(days=1), zone)
        await parts.trends.trend(one_day)  # which waits until ranks are kept
        await parts.clock.set(at("2028-03-01T00:30", zone))
        await give(parts, "ann", 5)
        months = (MONTH, at("2027-12-01T00:00", zone), at("2028-04-01T00:00", zone), zone)
        hours = (HOUR, at("2028-02-29T22:00", zone), at("2028-03-01T02:00", zone), zone)

        async def values(metric: Metric, asked: Asked) -> list[float]:
            assert parts.trends is not None
            query = TrendQuery(metric, *asked, user_id="ann", period_id="all")
            return [point.value for point in await parts.trends.trend(query)]

        assert await values(Metric.POINTS, months) == [0, 6000, 0, 5]
        assert await values(Metric.AWARDS, months) == [0, 1, 0, 1]
        assert await values(Metric.ACTIVE_USERS, months) == [0, 1, 0, 1]
        assert await values(Metric.LIABILITY, months) == [0, 6000, 6000, 6005]
        assert await values(Metric.POINTS, hours) == [0, 0, 5, 0]
        assert await values(Metric.LIABILITY, hours) == [6000, 6000, 6005, 6005]
        assert await values(Metric.RANK, months) == [1, 1, 1], "none before the first award"
        assert await values(Metric.RANK, hours) == [1, 1, 1, 1]
        tiers = await parts.trends.trend(TrendQuery(Metric.TIER_MIX, *months, by_series=True))
        assert [(point.series, point.value) for point in tiers if point.series == "SILVER"] == [
            ("SILVER", 0), ("SILVER", 1), ("SILVER", 1), ("SILVER", 1)
        ]  # fmt: skip
