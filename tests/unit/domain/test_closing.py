from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import (
    BoardFamily,
    BoardKey,
    BoardMatrix,
    SortOrder,
    TiePolicy,
    WinnerBonus,
)
from laurel_server.domain.closing import PeriodState, Terms, state_at, terms_of, winner_action
from laurel_server.domain.periods import ALL_TIME, PeriodType, parse_period_id

DAY = parse_period_id("2026-11-25", UTC)
END = datetime(2026, 11, 26, tzinfo=UTC)
GRACE = timedelta(hours=1)
TICK = timedelta(microseconds=1)


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


def test_a_board_is_frozen_on_the_terms_of_its_configuration() -> None:
    bonuses = (WinnerBonus(1, 70),)
    matrix = BoardMatrix(
        [BoardFamily("b", "B", "country:*", PeriodType.DAILY, TiePolicy.DENSE, winner_bonuses=bonuses)]
    )
    race = BoardConfig(
        "race", BoardKind.SCORES, "race", sort_order=SortOrder.ASCENDING, winner_bonuses=bonuses
    )

    def terms(scope: str, period_id: str) -> Terms:
        return terms_of(BoardKey(scope, period_id), matrix, {"race": race})

    assert terms("country:US", "2026-11-25") == Terms(TiePolicy.DENSE, SortOrder.DESCENDING, bonuses)
    assert terms("race", "2026-11-23T00:00Z") == Terms(TiePolicy.EARLIEST_FIRST, SortOrder.ASCENDING, bonuses)
    assert terms("country:US", "2026-W48") == terms("gone", "all") == Terms()


@pytest.mark.parametrize(
    ("scope", "period_id", "action"),
    [
        ("global", "2026-11-25", "DAILY_WINNER"),
        ("global", "2026-Q4", "QUARTERLY_WINNER"),
        ("race", "2026-11-23T00:00Z", "BOARD_WINNER"),
    ],
)
def test_each_kind_of_board_has_an_action_to_pay_by(scope: str, period_id: str, action: str) -> None:
    assert winner_action(BoardKey(scope, period_id)) == action
