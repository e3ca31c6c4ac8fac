"""The end of a period: its states, who wins, and what for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from laurel_server.domain.board_configs import BoardConfig
from laurel_server.domain.boards import (
    BoardKey,
    BoardMatrix,
    SortOrder,
    TiePolicy,
    WinnerBonus,
    is_score_board,
)
from laurel_server.domain.periods import Period, period_type_of

ARCHIVE_AFTER: Final = timedelta(days=14)
"""How long after its end a period stays in Redis; the ledger keeps it for ever."""

SNAPSHOT_ENTRIES: Final = 100
"""Lines of a board that its snapshot shows."""


WINNERS_SHOWN: Final = 1000
"""Winners that a period tells of; a tie for the first place may have many more."""


class PeriodState(IntEnum):
    """Where a period of a board is in its life; the numbers are those of the contract."""

    ACTIVE = 1  # takes awards
    CLOSING = 2  # over; takes awards that occurred in it until the grace has passed, then is being closed
    COMPLETED = 3  # frozen, winners paid
    ARCHIVED = 4  # completed, and out of Redis


class Terms(NamedTuple):
    """How a board ranks when it is frozen, and what it pays: everyone at rank r gets the bonus of r."""

    tie_policy: TiePolicy = TiePolicy.EARLIEST_FIRST
    sort_order: SortOrder = SortOrder.DESCENDING
    bonuses: tuple[WinnerBonus, ...] = ()


class Statistics(NamedTuple):
    """A frozen board in numbers; the median of an even number is the mean of the two in the middle, rounded down."""

    participants: int
    total_points: int
    average_points: float
    median_points: int


@dataclass(frozen=True, slots=True)
class Winner:
    """A bonus as it was paid: `transaction_id` is that of the entry, 0 as long as it is not paid.

    `user_no` is the number of the winner in the ledger, 0 where nobody asks for it.
    """

    rank: int
    user_id: str
    score: int
    bonus_points: int
    transaction_id: int
    user_no: int = 0


@dataclass(frozen=True, slots=True)
class PeriodSummary:
    """One period of one board."""

    board: BoardKey
    period: Period
    state: PeriodState
    winners: tuple[Winner, ...]
    """The best of them, `WINNERS_SHOWN` at most."""
    participants: int


@dataclass(frozen=True, slots=True)
class SnapshotLine:
    """One line of a snapshot."""

    user_id: str
    rank: int
    score: int
    sub_score: int = 0
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The final standing of a board in numbers, and some of its best lines; `taken_at` None: nobody was on it."""

    statistics: Statistics
    taken_at: datetime | None
    lines: tuple[SnapshotLine, ...]


NO_SNAPSHOT: Final = Snapshot(Statistics(0, 0, 0.0, 0), None, ())


def state_at(period: Period, stored: PeriodState | None, now: datetime, grace: timedelta) -> PeriodState:
    """Return the state that a period is in, given what the ledger says of the board; None: nobody was ever on it.

    A board without members is as closed as time makes it: there was nothing to do.
    """
    if period.ends_at is None or now < period.ends_at:
        return stored or PeriodState.ACTIVE
    if stored is not None:
        return max(stored, PeriodState.CLOSING)
    if now < period.ends_at + grace:
        return PeriodState.CLOSING
    return PeriodState.COMPLETED if now < period.ends_at + ARCHIVE_AFTER else PeriodState.ARCHIVED


def terms_of(board: BoardKey, matrix: BoardMatrix, boards: Mapping[str, BoardConfig]) -> Terms:
    """Return the terms of a board; one that is not configured any more pays nothing."""
    if is_score_board(board.scope):
        config = boards.get(board.scope)
        return Terms(config.tie_policy, config.sort_order, config.winner_bonuses) if config else Terms()
    family = matrix.family_of(board.scope, period_type_of(board.period_id))
    return Terms(family.tie_policy, bonuses=family.winner_bonuses) if family else Terms()


def winner_action(board: BoardKey) -> str:
    """Return the action under which winners are paid: `WEEKLY_WINNER`; on score boards `BOARD_WINNER`."""
    if is_score_board(board.scope):
        return "BOARD_WINNER"
    return f"{period_type_of(board.period_id).name}_WINNER"
