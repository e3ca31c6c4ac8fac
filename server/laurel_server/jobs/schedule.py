"""When a job is due, by the business clock."""

from datetime import datetime, tzinfo

from laurel_server.domain.cron import next_moment


def next_due(schedule: str, zone: tzinfo, covered: datetime | None) -> datetime | None:
    """Return the first moment after `covered` at which the job is due, in UTC; None: it is due at once.

    `covered` is when the last run that succeeded was begun; None: there was none. However many moments lie between it
    and now, one run makes up for them all.
    """
    return None if covered is None else next_moment(schedule, covered, zone)
