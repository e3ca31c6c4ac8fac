"""When a score board begins anew: by a cron expression of five fields in the program's time zone."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from cronsim import CronSim, CronSimError

from laurel_server.domain.cron import last_moment, next_moment
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.periods import ALL_TIME, Period, PeriodType

_ID = "%Y-%m-%dT%H:%MZ"


def check_cron(expression: str, field: str) -> None:
    """INVALID_FIELD unless `expression` has five fields that name moments."""
    if len(expression.split()) != 5:  # noqa: PLR2004 - six would be seconds
        raise invalid_field(field, "must be a cron expression of five fields")
    try:
        next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as wrong:
        message = str(wrong) or "never comes"
        raise invalid_field(field, f"{expression[:60]!r} is no cron expression: {message}") from None


def reset_period(expression: str, moment: datetime, zone: tzinfo) -> Period:
    """Return the reset period that contains `moment`: from one reset up to the next. All-time without an expression.

    Its id is its first minute in UTC, such as `2026-11-23T00:00Z`. The one asked for last is kept.
    """
    if not expression:
        return ALL_TIME
    (last,) = found = _found_last(expression, zone)
    if last is None or not last.contains(moment):
        last = found[0] = _period(expression, moment, zone)
    return last


def named_reset_period(expression: str, period_id: str, zone: tzinfo) -> Period:
    """Return the reset period with that id, also of a board that reset otherwise then. INVALID_FIELD `board.period_id`.

    Where another expression, or none, was in force then, the end is that of the present one: the ledger knows better.
    """
    if period_id == ALL_TIME.id:
        return ALL_TIME
    try:
        starts_at = datetime.strptime(period_id, _ID).replace(tzinfo=UTC)
    except ValueError:
        starts_at = None
    if starts_at is None or starts_at.strftime(_ID) != period_id:
        raise invalid_field("board.period_id", f"{period_id[:40]!r} is not the id of a period of this board")
    ends_at = next_moment(expression, starts_at, zone) if expression else starts_at
    return Period(PeriodType.ALL_TIME, period_id, starts_at, ends_at)


@lru_cache(maxsize=4096)
def _found_last(_expression: str, _zone: tzinfo) -> list[Period | None]:
    return [None]


def _period(expression: str, moment: datetime, zone: tzinfo) -> Period:
    starts_at = last_moment(expression, moment, zone)
    return Period(
        PeriodType.ALL_TIME, starts_at.strftime(_ID), starts_at, next_moment(expression, starts_at, zone)
    )
