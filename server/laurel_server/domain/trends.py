"""Trends: what is measured, over which stretches of time, and how gaps between measurements are filled."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final, NamedTuple

from laurel_server.domain.errors import invalid_field
from laurel_server.domain.periods import PeriodType, next_period, period_at

MAX_POINTS: Final = 10_000
"""Stretches of time in one answer."""


class Metric(StrEnum):
    """What a trend tells."""

    POINTS = "points"
    AWARDS = "awards"
    ACTIVE_USERS = "active_users"
    RANK = "rank"
    TIER_MIX = "tier_mix"
    LIABILITY = "liability"


class Granularity(StrEnum):
    """How long the stretches are: by the clock of the program's time zone, weeks from Monday."""

    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


_PERIODS: Final = {
    Granularity.DAY: PeriodType.DAILY,
    Granularity.WEEK: PeriodType.WEEKLY,
    Granularity.MONTH: PeriodType.MONTHLY,
}
_DEFAULT_SPAN: Final = {
    Granularity.HOUR: timedelta(hours=48),
    Granularity.DAY: timedelta(days=30),
    Granularity.WEEK: timedelta(weeks=26),
    Granularity.MONTH: timedelta(days=365),
}

LEVELS: Final = frozenset({Metric.TIER_MIX, Metric.LIABILITY})
"""Metrics whose value is the sum of all changes so far; the others count anew in each stretch."""


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """What is asked; `[from_time, to_time)`. Empty strings leave `scope`, `period_id`, `user_id` and `action` open."""

    metric: Metric
    granularity: Granularity
    from_time: datetime
    to_time: datetime
    zone: tzinfo
    scope: str = "global"
    period_id: str = ""
    user_id: str = ""
    action: str = ""
    by_series: bool = False

    def __post_init__(self) -> None:
        if self.metric is Metric.RANK and not self.user_id:
            raise invalid_field("user_id", "is needed for the metric rank")
        if self.from_time >= self.to_time:
            raise invalid_field("from_time", "must be before to_time")


class Measured(NamedTuple):
    """What was found in the stretch that begins at `start`; None: before all of them."""

    start: datetime | None
    series: str
    value: float


class TrendPoint(NamedTuple):
    """One point of an answer; `time` is where the stretch begins."""

    time: datetime
    series: str
    value: float


def default_span(granularity: Granularity) -> timedelta:
    """Return how far back a trend goes when no beginning is asked for."""
    return _DEFAULT_SPAN[granularity]


def starts(query: TrendQuery) -> list[datetime]:
    """Return where the stretches begin that touch the time asked for, in UTC. INVALID_FIELD for too many."""
    found: list[datetime] = []
    for start in _starts(query):
        if start >= query.to_time:
            return found
        if len(found) == MAX_POINTS:
            raise invalid_field(
                "granularity", f"gives more than {MAX_POINTS:,} points; ask for a coarser one"
            )
        found.append(start)
    return found


def _starts(query: TrendQuery) -> Iterator[datetime]:
    if query.granularity is Granularity.HOUR:
        start = _hour_of(query.from_time, query.zone)
        while True:
            yield start
            start += timedelta(hours=1)
    period = period_at(_PERIODS[query.granularity], query.from_time, query.zone)
    while period.starts_at is not None:
        # A day that a place leaves out at the date line ends as it begins.
        if period.starts_at != period.ends_at:
            yield period.starts_at
        period = next_period(period, query.zone)


def _hour_of(moment: datetime, zone: tzinfo) -> datetime:
    local = moment.astimezone(zone)
    return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)


def filled(query: TrendQuery, begins: Sequence[datetime], found: Iterable[Measured]) -> list[TrendPoint]:
    """Return a point for each stretch and series, by time: gaps are 0, or the value before for levels and ranks.

    A rank that was never known before has no point; a metric without any series has the one without a name.
    """
    series: dict[str, dict[datetime | None, float]] = defaultdict(dict)
    for each in found:
        series[each.series][each.start] = each.value
    if not series and query.metric is not Metric.RANK:
        series[""] = {}
    points = [
        TrendPoint(start, name, value)
        for name in sorted(series)
        for start, value in _line(query.metric, begins, series[name])
    ]
    return sorted(points)


def _line(
    metric: Metric, begins: Sequence[datetime], found: Mapping[datetime | None, float]
) -> Iterator[tuple[datetime, float]]:
    level = found.get(None, 0.0)
    for start in begins:
        if metric in LEVELS:
            level += found.get(start, 0.0)
            yield start, level
        elif metric is Metric.RANK:
            level = found.get(start, level)
            if level:
                yield start, level
        else:
            yield start, found.get(start, 0.0)
