"""Moments by a cron expression of five fields on the clock of a time zone, also on days when that clock is changed."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from cronsim import CronSim

from laurel_server.domain.periods import FIRST_MOMENT, LAST_MOMENT

LONGEST_REPEAT: Final = timedelta(hours=3)
"""Longer than the time that comes twice where a clock is put back."""


def next_moment(expression: str, after: datetime, zone: tzinfo) -> datetime:
    """Return the first moment after one, in UTC; the end of the calendar where none comes before it.

    A time of the day that comes twice counts the first time, and one that is skipped as soon as the clock goes on.
    Where the minute or the hour is a `*`, moments follow each other as on any other day.
    """
    try:
        moments = CronSim(expression, _before_repeats(after, zone).astimezone(zone))
        return next(moment for each in moments if (moment := each.astimezone(UTC)) > after)
    except OverflowError:
        return LAST_MOMENT


def last_moment(expression: str, until: datetime, zone: tzinfo) -> datetime:
    """Return the last moment up to and including one, in UTC: the one before the next. OverflowError without any."""
    last = _some_moment(expression, until, zone)
    while (following := next_moment(expression, last, zone)) <= until:
        last = following
    return last


def _some_moment(expression: str, until: datetime, zone: tzinfo) -> datetime:
    """Return a moment that is not later: where a clock is changed, CronSim may leave some out on its way back."""
    start = until + timedelta(seconds=1)
    while (found := _previous(expression, start, zone)) > until:
        start -= LONGEST_REPEAT
    return found


def _previous(expression: str, before: datetime, zone: tzinfo) -> datetime:
    return next(CronSim(expression, before.astimezone(zone), reverse=True)).astimezone(UTC)


def _before_repeats(moment: datetime, zone: tzinfo) -> datetime:
    """Return that moment, or one before the time that comes twice: CronSim knows not the second time from the first."""
    earlier = moment - min(LONGEST_REPEAT, moment - FIRST_MOMENT)
    is_same_clock = earlier.astimezone(zone).utcoffset() == moment.astimezone(zone).utcoffset()
    return moment if is_same_clock else earlier
