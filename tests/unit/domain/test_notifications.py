"""What users are told, and when."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from laurel_server.domain.notifications import (
    Kind,
    Preferences,
    ToldRank,
    notices_of,
    rank_notice,
)

NOW = datetime(2026, 11, 25, 21, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour: int, minute: int = 0, day: int = 25) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "earliest"),
    [
        (at(21, 59), at(21, 59)),
        (at(22), at(7, day=26)),
        (at(3), at(7)),
        (at(7), at(7)),
    ],
)
def test_quiet_hours_may_go_over_midnight(moment: datetime, earliest: datetime) -> None:
    assert Preferences(quiet_from=time(22), quiet_until=time(7)).earliest(moment) == earliest


def test_quiet_hours_are_those_of_the_users_time_zone() -> None:
    tokyo = Preferences(quiet_from=time(22), quiet_until=time(7), zone=ZoneInfo("Asia/Tokyo"))
    assert tokyo.earliest(at(14)) == at(22)  # 23:00 in Tokyo; 07:00 there is 22:00 UTC
    assert tokyo.earliest(at(12)) == at(12)


def test_a_pause_that_ends_in_quiet_hours_ends_with_them() -> None:
    paused = Preferences(quiet_from=time(22), quiet_until=time(7), paused_until=at(23))
    assert paused.earliest(at(12)) == at(7, day=26)
    assert Preferences(paused_until=at(23)).earliest(at(12)) == at(23)


def test_equal_times_are_no_quiet_hours() -> None:
    assert Preferences(quiet_from=time(8), quiet_until=time(8)).earliest(at(8)) == at(8)


def earned(
    points: int, lifetime: int, before: str = "BRONZE", after: str = "BRONZE"
) -> list[tuple[Kind, str]]:
    body = {
        "type": "rewards.earned",
        "user_id": "ada",
        "points": points,
        "lifetime_points": lifetime,
        "tier_before": before,
        "tier": after,
    }
    return [(each.kind, each.message) for each in notices_of("7", body, NOW)]


def test_an_award_may_reach_a_milestone_and_a_tier() -> None:
    assert earned(10, 990) == []
    assert earned(10, 1000) == [(Kind.POINTS_MILESTONE, "You have earned 1,000 points!")]
    assert earned(6000, 6500, "BRONZE", "SILVER") == [
        (Kind.POINTS_MILESTONE, "You have earned 5,000 points!"),
        (Kind.TIER_CHANGED, "You are Silver now"),
    ]


@pytest.mark.parametrize(
    ("told", "rank", "words"),
    [
        (None, 400, None),
        (None, 7, "You have reached the top 10!"),
        (12, 10, "You have reached the top 10!"),
        (9, 8, "You moved up 1 rank!"),
        (2, 1, "You are at the very top!"),
        (400, 396, "You moved up 4 ranks!"),
        (8, 12, "You moved down 4 ranks"),
        (8, 8, None),
    ],
)
def test_ranks_are_told_when_they_matter(told: int | None, rank: int, words: str | None) -> None:
    last = None if told is None else ToldRank(told, NOW - HOUR)
    notice = rank_notice("7", "ada", rank, last, NOW, HOUR)
    assert (notice and notice.message) == words


def test_moves_are_told_once_in_a_while_and_milestones_at_once() -> None:
    just_now = ToldRank(400, NOW - HOUR / 2)
    assert rank_notice("7", "ada", 300, just_now, NOW, HOUR) is None
    assert rank_notice("7", "ada", 100, just_now, NOW, HOUR) is not None


def test_other_events_are_told_to_nobody() -> None:
    assert list(notices_of("7", {"type": "user.moved"}, NOW)) == []
