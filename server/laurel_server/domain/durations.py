"""ISO 8601 durations on the calendar: how long points live."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Self

from laurel_server.domain.errors import LaurelError, invalid_field

_DURATION = re.compile(
    r"P(?=[0-9T])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)W)?(?:([0-9]+)D)?"
    r"(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?)?",
)
_MAX_LENGTH = 40
_MAX_YEARS = 1_000


@dataclass(frozen=True, slots=True)
class CalendarDuration:
    """A span of calendar months, then of exact time. `P1Y2M10DT2H` is 14 months and 10 days 2 hours."""

    months: int
    time: timedelta

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str, field: str = "expires_after") -> Self:
        """Read whole, non-negative years, months, weeks, days, hours, minutes and seconds.

        INVALID_FIELD on another form, on a span of zero and on one beyond 1,000 years.
        """
        match = _DURATION.fullmatch(text) if len(text) <= _MAX_LENGTH else None
        if match is None:
            raise invalid_field(
                field, "must be an ISO 8601 duration in whole numbers such as P1Y, P30D or PT12H"
            )
        years, months, weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
        try:
            time = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        except OverflowError:
            time = timedelta.max
        duration = cls(years * 12 + months, time)
        if duration.months > _MAX_YEARS * 12 or time > timedelta(days=_MAX_YEARS * 366):
            raise invalid_field(field, f"must be at most {_MAX_YEARS} years")
        if not duration.months and not time:
            raise invalid_field(field, "must be longer than zero")
        return duration

    @lru_cache(maxsize=1024)  # noqa: B019 - durations are few, and the awards of a batch share their moment
    def after(self, moment: datetime) -> datetime:
        """Return `moment` plus the span: months first, clamped to the last day, then the exact time.

        29 February plus a year is 28 February. INVALID_FIELD beyond the year 9999.
        """
        try:
            return add_months(moment, self.months) + self.time
        except (OverflowError, ValueError):
            raise _beyond_the_calendar() from None

    @lru_cache(maxsize=1024)  # noqa: B019 - as above
    def month_end_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return the end, exclusive, of the month of `zone` in which the span ends, in UTC.

        Months are counted by the calendar of `zone`, too: by that of UTC, what is earned in the first hours of a month
        could end a month before what is earned later in it. INVALID_FIELD beyond the year 9999.
        """
        try:
            months_later = add_months(moment.astimezone(zone), self.months)
            return end_of_month(months_later.astimezone(UTC) + self.time, zone)
        except (OverflowError, ValueError):
            raise _beyond_the_calendar() from None


def _beyond_the_calendar() -> LaurelError:
    return invalid_field("expires_after", "leads beyond the year 9999")


def add_months(moment: datetime, months: int) -> datetime:
    """Return `moment` that many calendar months later, on the last day of the month if it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def end_of_month(moment: datetime, zone: tzinfo) -> datetime:
    """Return the end, exclusive, of the month of `moment` in `zone`: where the next one starts, in UTC."""
    local = moment.astimezone(zone)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    return add_months(first, 1).astimezone(UTC)
