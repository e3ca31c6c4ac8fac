"""Streaks: days in a row, by the program's time zone."""

from datetime import datetime, tzinfo

from laurel_server.domain.accounts import Usage
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.periods import PeriodType, next_period, parse_period_id, period_at, previous_period


def day_of(moment: datetime, zone: tzinfo) -> str:
    """Return the id of the day."""
    return period_at(PeriodType.DAILY, moment, zone).id


def next_streak(action: str, usage: Usage | None, occurred_at: datetime, now: datetime, zone: tzinfo) -> int:
    """Return how many days in a row there are with that of `occurred_at`; a missed day begins anew with 1.

    COOLDOWN_ACTIVE for a day that counts already, or one before: a day counts once.
    """
    if usage is None or not usage.streak_day:
        return 1
    day = period_at(PeriodType.DAILY, occurred_at, zone)
    if day.id <= usage.streak_day:
        raise _counts_already(action, usage.streak_day, now, zone)
    return usage.streak + 1 if previous_period(day, zone).id == usage.streak_day else 1


def _counts_already(action: str, last_day: str, now: datetime, zone: tzinfo) -> LaurelError:
    available_at = next_period(parse_period_id(last_day, zone, PeriodType.DAILY), zone).starts_at
    assert available_at is not None  # noqa: S101 - days have bounds
    return LaurelError(
        Reason.COOLDOWN_ACTIVE,
        f"{action} counts once a day, and {last_day} counts already",
        metadata={"action": action, "available_at": available_at.isoformat()},
        retry_after=max(available_at - now, now - now),
    )
