"""Periods that a test sets up."""

from collections.abc import Collection
from datetime import UTC, datetime

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.closing import (
    PeriodState,
    PeriodSummary,
    Snapshot,
    SnapshotLine,
    Statistics,
    Winner,
)
from laurel_server.domain.periods import PeriodType, parse_period_id
from laurel_server.domain.rank_history import RankMovement, RankPoint
from laurel_server.domain.tiers import Tier
from laurel_server.domain.views import Board
from tests.unit.rpc.samples import NOW

Face = tuple[str, str, Tier, str, tuple[str, ...]]


class StandInPeriods:
    """Has `days`, newest first, with a winner each, and a snapshot of three lines; everybody is gold."""

    asked: tuple[tuple[datetime | None, datetime | None], bool]
    days = ("2026-11-25", "2026-11-24", "2026-11-23")

    async def periods(
        self, _scope: str, _period_type: PeriodType, before: datetime | None, limit: int
    ) -> list[PeriodSummary]:
        summaries = [self._summary(BoardKey("global", day)) for day in self.days]
        return [
            each
            for each in summaries
            if before is None or (each.period.starts_at and each.period.starts_at < before)
        ][:limit]

    async def period(self, board: Board) -> PeriodSummary:
        return self._summary(board.key)

    async def snapshot(self, _board: Board, offset: int, limit: int) -> Snapshot:
        lines = tuple(SnapshotLine(f"user-{n}", n, 100 - n) for n in (1, 2, 3))
        return Snapshot(Statistics(5, 470, 94.0, 95), NOW, lines[offset : offset + limit])

    async def faces(self, user_ids: Collection[str]) -> dict[str, Face]:
        return {user_id: (user_id.upper(), "", Tier.GOLD, "DE", ("TOP_10",)) for user_id in user_ids}

    async def points(
        self,
        _board: Board,
        _user_id: str,
        between: tuple[datetime | None, datetime | None],
        offset: int,
        limit: int,
        *,
        all_periods: bool,
    ) -> list[RankPoint]:
        self.asked = (between, all_periods)
        points = [RankPoint(day, NOW, n, 100 - n, 5) for n, day in enumerate(self.days, start=1)]
        return points[offset : offset + limit]

    async def movement(self, _board: Board, _user_id: str, *, all_periods: bool) -> RankMovement:
        self.moves_over_periods = all_periods
        return RankMovement(3, 7, 1, "You moved up 4 ranks!")

    def _summary(self, board: BoardKey) -> PeriodSummary:
        winners = (Winner(1, "ann", 30, 100, 77), Winner(2, "bob", 20, 50, 0))
        return PeriodSummary(board, parse_period_id(board.period_id, UTC), PeriodState.COMPLETED, winners, 2)
