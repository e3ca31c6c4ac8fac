from datetime import date

import pytest

from laurel_server.domain.rank_history import rank_movement

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
