"""The end of a period: its states, who wins, and what for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from laurel_server.domain.boards import BoardFamily, BoardKey, TiePolicy, WinnerBonus
from laurel_server.domain.periods import Period, PeriodType

ARCHIVE_AFTER: Final = timedelta(days=14)
"""How long after its end a period stays in Redis; the ledger keeps it for ever."""

SNAPSHOT_ENTRIES: Final = 100
"""Lines of a board that its snapshot shows."""


class PeriodState(IntEnum):
    """Where a period of a board is in its life; the numbers are those of the contract."""

    ACTIVE = 1  # takes awards
    CLOSING = 2  # over; takes awards that occurred in it until the grace has passed, then is being closed
    COMPLETED = 3  # frozen, winners paid
    ARCHIVED = 4  # completed, and out of Redis


class Ranked(NamedTuple):
    """One line of a frozen board: its holder by number, and his rank under each tie policy."""

    user_no: int
    score: int
    position: int
    competition: int
    dense: int

    def rank(self, policy: TiePolicy) -> int:
        """Return the rank under the board's policy."""
        match policy:
            case TiePolicy.EARLIEST_FIRST:
                return self.position
            case TiePolicy.COMPETITION:
                return self.competition
            case TiePolicy.DENSE:
                return self.dense


class Win(NamedTuple):
    """Who has won a bonus on a board, by number."""

    user_no: int
    rank: int
    score: int
    bonus_points: int


class Statistics(NamedTuple):
    """A frozen board in numbers; the median of an even number is the mean of the two in the middle, rounded down."""

    participants: int
    total_points: int
    average_points: float
    median_points: int


@dataclass(frozen=True, slots=True)
class Winner:
    """A bonus as it was paid: `transaction_id` is that of the entry, 0 as long as it is not paid."""

    rank: int
    user_id: str
    score: int
    bonus_points: int
    transaction_id: int


@dataclass(frozen=True, slots=True)
class PeriodSummary:
    """One period of one board."""

    board: BoardKey
    period: Period
    state: PeriodState
    winners: tuple[Winner, ...]
    participants: int


@dataclass(frozen=True, slots=True)
class SnapshotLine:
    """One line of a snapshot."""

    user_id: str
    rank: int
    score: int


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


def winners_of(lines: Iterable[Ranked], family: BoardFamily | None) -> list[Win]:
    """Return who wins what: everyone at rank r gets the bonus of r."""
    if family is None:
        return []
    bonuses = {bonus.rank: bonus.points for bonus in family.winner_bonuses if bonus.points > 0}
    return [
        Win(line.user_no, rank, line.score, bonuses[rank])
        for line in lines
        if (rank := line.rank(family.tie_policy)) in bonuses
    ]


def last_rank(bonuses: Sequence[WinnerBonus]) -> int:
    """Return the last rank that wins something, 0 for none."""
    return max((bonus.rank for bonus in bonuses), default=0)


def winner_action(period_type: PeriodType) -> str:
    """Return the action under which the winners of such a period are paid: `WEEKLY_WINNER`."""
    return f"{period_type.name}_WINNER"
