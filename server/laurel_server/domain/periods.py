"""Periods: the days, weeks, months, quarters and years that boards count in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import IntEnum
from functools import lru_cache
from typing import Final

from laurel_server.domain.clock import checked_moment
from laurel_server.domain.errors import invalid_field

MAX_CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far `occurred_at` may lie in the future."""


class PeriodType(IntEnum):
    """How long a period is; the numbers are those of the contract."""

    DAILY = 1
    WEEKLY = 2
    MONTHLY = 3
    QUARTERLY = 4
    YEARLY = 5
    ALL_TIME = 6


@dataclass(frozen=True, slots=True)
class Period:
    """The half-open interval `[starts_at, ends_at)` in UTC; both are None for all-time.

    `id` is `2026-11-23`, `2026-W48` (ISO week of the ISO year), `2026-11`, `2026-Q4`, `2026` or `all`.
    """

    type: PeriodType
    id: str
    starts_at: datetime | None
    ends_at: datetime | None

    def __hash__(self) -> int:
        return hash(self.id)  # an award looks up by periods several times; this is 5x cheaper

    def contains(self, moment: datetime) -> bool:
        """Whether `moment` lies in the period."""
        return self.starts_at is None or self.ends_at is None or self.starts_at <= moment < self.ends_at

    def open_at(self, now: datetime, grace: timedelta) -> bool:
        """Whether awards still count: until the end of the period plus `grace`, exclusive."""
        return self.ends_at is None or now < self.ends_at + grace


ALL_TIME: Final = Period(PeriodType.ALL_TIME, "all", None, None)

FIRST_MOMENT: Final = datetime.min.replace(tzinfo=UTC)
"""Before every period."""

LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC)
"""After every period but that of all time."""

_EXAMPLES = {
    PeriodType.DAILY: "2026-11-23",
    PeriodType.WEEKLY: "2026-W48",
    PeriodType.MONTHLY: "2026-11",
    PeriodType.QUARTERLY: "2026-Q4",
    PeriodType.YEARLY: "2026",
    PeriodType.ALL_TIME: "all",
}
_DAYS = {PeriodType.DAILY: 1, PeriodType.WEEKLY: 7}
_MONTHS = {PeriodType.MONTHLY: 1, PeriodType.QUARTERLY: 3, PeriodType.YEARLY: 12}

# How an id is written, and the first day it names.
_FORMS: dict[PeriodType, tuple[re.Pattern[str], Callable[..., date]]] = {
    PeriodType.DAILY: (re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"), date),
    PeriodType.WEEKLY: (
        re.compile(r"([0-9]{4})-W([0-9]{2})"),
        lambda year, week: date.fromisocalendar(year, week, 1),
    ),
    PeriodType.MONTHLY: (re.compile(r"([0-9]{4})-([0-9]{2})"), lambda year, month: date(year, month, 1)),
    PeriodType.QUARTERLY: (
        re.compile(r"([0-9]{4})-Q([1-4])"),
        lambda year, quarter: date(year, 3 * quarter - 2, 1),
    ),
    PeriodType.YEARLY: (re.compile(r"([0-9]{4})"), lambda year: date(year, 1, 1)),
}


def period_at(period_type: PeriodType, moment: datetime, zone: tzinfo) -> Period:
    """Return the period that contains `moment`, by the calendar of `zone`. Cached by day."""
    if period_type is PeriodType.ALL_TIME:
        return ALL_TIME
    period = _period_of_day(period_type, moment.astimezone(zone).date(), zone)
    if period.contains(moment):
        return period
    # Where a clock change straddles midnight, a date comes twice, or late, for some minutes.
    early = period.open_at(moment, grace=timedelta())
    return previous_period(period, zone) if early else next_period(period, zone)


def check_occurred_at(occurred_at: datetime, now: datetime) -> None:
    """Refuse a moment more than 5 minutes ahead of `now`, or before 1970: INVALID_FIELD `occurred_at`."""
    if checked_moment(occurred_at, field="occurred_at") > now + MAX_CLOCK_SKEW:
        raise invalid_field("occurred_at", "lies more than 5 minutes in the future")


@lru_cache(maxsize=4096)
def parse_period_id(text: str, zone: tzinfo, period_type: PeriodType | None = None) -> Period:
    """Return the period named `text`; without `period_type`, of any. INVALID_FIELD `board.period_id`."""
    for candidate in PeriodType if period_type is None else (period_type,):
        if candidate is PeriodType.ALL_TIME and text == ALL_TIME.id:
            return ALL_TIME
        first = _first_day_named(candidate, text)
        if first is not None:
            return _period_of_day(candidate, first, zone)
    known = (
        "any period" if period_type is None else f"such a period: it is written as {_EXAMPLES[period_type]}"
    )
    raise invalid_field("board.period_id", f"{text[:40]!r} is not the id of {known}")


@lru_cache(maxsize=4096)
def period_type_of(text: str) -> PeriodType:
    """Return of which type the period named `text` is, wherever its days begin. INVALID_FIELD `board.period_id`."""
    return parse_period_id(text, UTC).type


def next_period(period: Period, zone: tzinfo) -> Period:
    """Return the period that follows. ValueError for all-time."""
    return _period_of_day(period.type, _following(period.type, _first_day_of(period)), zone)


def previous_period(period: Period, zone: tzinfo) -> Period:
    """Return the period before. ValueError for all-time."""
    return _period_of_day(period.type, _first_day_of(period) - timedelta(days=1), zone)


@lru_cache(maxsize=4096)
def _period_of_day(period_type: PeriodType, day: date, zone: tzinfo) -> Period:
    first = _first_day(period_type, day)
    following = _following(period_type, first)
    return Period(period_type, _id(period_type, first), _midnight(first, zone), _midnight(following, zone))


def _first_day(period_type: PeriodType, day: date) -> date:
    if period_type in _DAYS:
        return day - timedelta(days=day.weekday() % _DAYS[period_type])
    months = _MONTHS[period_type]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _following(period_type: PeriodType, first: date) -> date:
    """Return the first day of the next period; the last day of the calendar where there is none."""
    try:
        if period_type in _DAYS:
            return first + timedelta(days=_DAYS[period_type])
        year, month = divmod(first.year * 12 + first.month - 1 + _MONTHS[period_type], 12)
        return date(year, month + 1, 1)
    except (OverflowError, ValueError):
        return date.max


def _midnight(day: date, zone: tzinfo) -> datetime:
    """Return the (first) local midnight of `day` in UTC, or the end of the calendar that it lies beyond."""
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return FIRST_MOMENT if day.year == 1 else LAST_MOMENT


def _id(period_type: PeriodType, first: date) -> str:
    match period_type:
        case PeriodType.WEEKLY:
            year, week, _ = first.isocalendar()
            return f"{year:04}-W{week:02}"
        case PeriodType.MONTHLY:
            return f"{first.year:04}-{first.month:02}"
        case PeriodType.QUARTERLY:
            return f"{first.year:04}-Q{first.month // 3 + 1}"
        case PeriodType.YEARLY:
            return f"{first.year:04}"
        case _:
            return first.isoformat()


def _first_day_named(period_type: PeriodType, text: str) -> date | None:
    if period_type is PeriodType.ALL_TIME:
        return None
    form, first_day = _FORMS[period_type]
    match = form.fullmatch(text)
    try:
        return first_day(*map(int, match.groups())) if match else None
    except ValueError:  # 30 February, or week 53 of a year with 52
        return None


def _first_day_of(period: Period) -> date:
    first = _first_day_named(period.type, period.id)
    if first is None:
        raise ValueError(f"{period.id!r} has no neighbours")
    return first
