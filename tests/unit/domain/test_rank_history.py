from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from laurel_server.domain.rank_history import ends_to_note, rank_movement

TODAY = date(2026, 3, 1)
YESTERDAY, LAST_WEEK = date(2026, 2, 28), date(2026, 2, 22)


@pytest.mark.parametrize(
    ("rank", "taken", "gained", "message"),
    [
        (3, {YESTERDAY: 7, LAST_WEEK: 1}, (4, -2), "You moved up 4 ranks!"),
        (2, {YESTERDAY: 1}, (-1, 0), "You moved down 1 rank"),
        (2, {YESTERDAY: 2, LAST_WEEK: 2}, (0, 0), ""),
        (2, {}, (0, 0), ""),
        (0, {YESTERDAY: 2, LAST_WEEK: 2}, (0, 0), ""),
        (2, {date(2026, 2, 27): 9}, (0, 0), ""),
    ],
)
def test_a_movement_is_against_yesterday_and_the_day_a_week_ago(
    rank: int, taken: dict[date, int], gained: tuple[int, int], message: str
) -> None:
    movement = rank_movement(rank, taken, TODAY)
    assert (movement.since_yesterday, movement.since_last_week, movement.message) == (*gained, message)
    assert (movement.rank, movement.yesterday) == (rank, taken.get(YESTERDAY, 0))


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("covered", "now", "zone", "noted"),
    [
        (None, "2026-11-25T12:00", UTC, ["2026-11-25 2026-11-25T12:00"]),
        ("2026-11-25T12:00", "2026-11-25T18:00", UTC, ["2026-11-25 2026-11-25T18:00"]),
        ("2026-11-25T12:00", "2026-11-25T23:50", UTC, ["2026-11-25 2026-11-25T23:50"]),
        ("2026-11-25T23:50", "2026-11-26T02:00", UTC, ["2026-11-26 2026-11-26T02:00"]),
        (
            "2024-02-28T12:00",
            "2024-03-01T00:10",
            UTC,
            ["2024-02-28 2024-02-28T23:50", "2024-02-29 2024-02-29T23:50"],
        ),
        ("2026-11-25T12:00", "2026-11-26T04:50", NEW_YORK, ["2026-11-25 2026-11-26T04:50"]),
    ],
)
def test_the_ends_of_days_since_the_last_time_are_noted(
    covered: str | None, now: str, zone: tzinfo, noted: list[str]
) -> None:
    ends = ends_to_note(_utc(covered) if covered else None, _utc(now), zone)
    assert [f"{end.day} {end.moment:%Y-%m-%dT%H:%M}" for end in ends] == noted


def test_a_month_at_most_is_made_up_for() -> None:
    ends = ends_to_note(_utc("2020-01-01T00:00"), _utc("2026-11-25T12:00"), UTC)
    assert [str(ends[0].day), str(ends[-1].day)] == ["2026-10-25", "2026-11-24"]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
