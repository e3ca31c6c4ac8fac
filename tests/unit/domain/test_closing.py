from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.boards import BoardFamily, TiePolicy, WinnerBonus
from laurel_server.domain.closing import PeriodState, Ranked, last_rank, state_at, winner_action, winners_of
from laurel_server.domain.periods import ALL_TIME, PeriodType, parse_period_id

DAY = parse_period_id("2026-11-25")
END = datetime(2026, 11, 26, tzinfo=UTC)
GRACE = timedelta(hours=1)
TICK = timedelta(microseconds=1)

LINES = [
    Ranked(user_no=1, score=30, position=1, competition=1, dense=1),
    Ranked(user_no=2, score=30, position=2, competition=1, dense=1),
    Ranked(user_no=3, score=20, position=3, competition=3, dense=2),
    Ranked(user_no=4, score=10, position=4, competition=4, dense=3),
]


def family(policy: TiePolicy, *bonuses: tuple[int, int]) -> BoardFamily:
    paid = tuple(WinnerBonus(*bonus) for bonus in bonuses)
    return BoardFamily("b", "B", "global", PeriodType.WEEKLY, policy, paid)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (END - TICK, PeriodState.ACTIVE),
        (END, PeriodState.CLOSING),
        (END + GRACE - TICK, PeriodState.CLOSING),
        (END + GRACE, PeriodState.COMPLETED),
        (END + timedelta(days=14) - TICK, PeriodState.COMPLETED),
        (END + timedelta(days=14), PeriodState.ARCHIVED),
    ],
)
def test_an_empty_period_ends_by_the_clock(now: datetime, state: PeriodState) -> None:
    assert state_at(DAY, None, now, GRACE) is state


@pytest.mark.parametrize("stored", PeriodState)
def test_a_period_with_members_is_what_the_ledger_says_but_never_active_after_its_end(
    stored: PeriodState,
) -> None:
    assert state_at(DAY, stored, END + timedelta(days=20), GRACE) is max(stored, PeriodState.CLOSING)


def test_all_time_never_ends() -> None:
    assert state_at(ALL_TIME, None, END, GRACE) is PeriodState.ACTIVE


@pytest.mark.parametrize(
    ("policy", "paid"),
    [
        (TiePolicy.EARLIEST_FIRST, {1: 1000, 2: 500, 3: 250}),
        (TiePolicy.COMPETITION, {1: 1000, 2: 1000, 3: 250}),
        (TiePolicy.DENSE, {1: 1000, 2: 1000, 3: 500, 4: 250}),
    ],
)
def test_everyone_at_a_rank_gets_its_bonus(policy: TiePolicy, paid: dict[int, int]) -> None:
    wins = winners_of(LINES, family(policy, (1, 1000), (2, 500), (3, 250)))
    assert {win.user_no: win.bonus_points for win in wins} == paid


def test_ranks_may_be_left_out_and_a_bonus_of_nothing_is_none() -> None:
    wins = winners_of(LINES, family(TiePolicy.EARLIEST_FIRST, (2, 70), (3, 0)))
    assert [(win.user_no, win.rank, win.score, win.bonus_points) for win in wins] == [(2, 2, 30, 70)]
    assert winners_of(LINES, None) == []
    assert (last_rank([WinnerBonus(7, 1), WinnerBonus(2, 1)]), last_rank([])) == (7, 0)


def test_each_period_has_an_action_to_pay_by() -> None:
    assert [winner_action(each) for each in (PeriodType.DAILY, PeriodType.QUARTERLY)] == [
        "DAILY_WINNER",
        "QUARTERLY_WINNER",
    ]
