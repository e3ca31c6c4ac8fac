from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from laurel_server.domain.accounts import Usage
from laurel_server.domain.actions import SEEDED_ACTIONS
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.points import base_points
from laurel_server.domain.streaks import next_streak

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LOGIN = next(config for config in SEEDED_ACTIONS if config.action == "LOGIN_STREAK")


def streak(last_day: str, days: int, at: datetime, zone: str = "UTC") -> int:
    usage = Usage("", 0, at, streak_day=last_day, streak=days)
    return next_streak("LOGIN_STREAK", usage, at, at, ZoneInfo(zone))


def test_a_streak_begins_grows_and_begins_anew_after_a_missed_day() -> None:
    assert next_streak("LOGIN_STREAK", None, NOON, NOON, UTC) == 1
    assert streak("2026-11-24", 4, NOON) == 5
    assert streak("2026-11-23", 4, NOON) == 1
    assert streak("2026-12-31", 9, datetime(2027, 1, 1, tzinfo=UTC)) == 10
    assert streak("2028-02-28", 9, datetime(2028, 2, 29, tzinfo=UTC)) == 10


def test_days_are_those_of_the_program() -> None:
    late = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)  # half past midnight of the 26th in Berlin
    assert streak("2026-11-25", 4, late, "Europe/Berlin") == 5


@pytest.mark.parametrize("last_day", ["2026-11-25", "2026-11-26"])
def test_a_day_counts_once(last_day: str) -> None:
    with pytest.raises(LaurelError) as refused:
        streak(last_day, 4, NOON)
    assert refused.value.reason is Reason.COOLDOWN_ACTIVE
    following = datetime.fromisoformat(last_day).replace(tzinfo=UTC) + timedelta(days=1)
    assert refused.value.retry_after == following - NOON
    assert refused.value.metadata["available_at"] == following.isoformat()


@pytest.mark.parametrize(("days", "points"), [(1, 5), (2, 10), (9, 45), (10, 50), (11, 50), (1000, 50)])
def test_the_seeded_bonus_grows_by_5_up_to_50(days: int, points: int) -> None:
    assert base_points(LOGIN, {}, days) == points
