"""When a job is due, by the business clock: APScheduler's cron trigger, asked instead of waited for."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from apscheduler.triggers.cron import CronTrigger

_JUST_AFTER = timedelta(microseconds=1)


def next_due(schedule: str, zone: tzinfo, covered: datetime | None) -> datetime | None:
    """Return the first moment after `covered` at which the job is due, in UTC; None: it is due at once.

    `covered` is when the last run that succeeded was begun; None: there was none. However many moments lie between it
    and now, one run makes up for them all.
    """
    if covered is None:
        return None
    due: datetime = _trigger(schedule, zone).get_next_fire_time(None, covered + _JUST_AFTER)
    return due.astimezone(UTC)


@lru_cache(maxsize=256)
def _trigger(schedule: str, zone: tzinfo) -> CronTrigger:
    return CronTrigger.from_crontab(schedule, timezone=zone)
