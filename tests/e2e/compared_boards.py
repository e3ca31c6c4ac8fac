"""Every call that tells a rank, compared with a board that is sorted by brute force."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import NamedTuple

import grpc
import pytest

from laurel.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from laurel.leaderboard.v1.leaderboard_pb2 import LeaderboardEntry
from laurel.leaderboard.v1.leaderboard_service_pb2 import (
    BatchGetRanksRequest,
    CountByScoreRequest,
    GetLeaderboardRequest,
    GetRankRequest,
    GetSurroundingRequest,
    ListByScoreRequest,
    ListUserRanksRequest,
)
from laurel.leaderboard.v1.leaderboard_service_pb2_grpc import LeaderboardServiceStub
from laurel.ranking.v1.periods_pb2 import GetSnapshotRequest
from laurel.ranking.v1.ranking_service_pb2 import GetStandingRequest
from laurel.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub
from laurel.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from laurel.type.v1.board_pb2 import BoardRank, BoardRef
from tests.oracle.board import BruteForceBoard, Row

AROUND = 2
COUNTABLE = 1000
"""Gaps between scores up to which the points that are needed are found by trying."""

_numbers = count()


class Laurel(NamedTuple):
    """Clients of a server."""

    admin: AdminServiceStub
    boards: LeaderboardServiceStub
    ranking: RankingServiceStub
    rewards: RewardsServiceStub
    sandbox: SandboxServiceStub

    @classmethod
    @asynccontextmanager
    async def at(cls, address: str) -> "AsyncIterator[Laurel]":
        """Connect to a server."""
        async with grpc.aio.insecure_channel(address) as channel:
            yield cls(
                AdminServiceStub(channel),
                LeaderboardServiceStub(channel),
                RankingServiceStub(channel),
                RewardsServiceStub(channel),
                SandboxServiceStub(channel),
            )


def new_id() -> str:
    """Return a request_id that no other request has."""
    return f"request-{next(_numbers)}"


@dataclass
class ComparedBoard:
    """A board of the server beside the same by brute force."""

    laurel: Laurel
    ref: BoardRef
    model: BruteForceBoard
    shadows: set[str] = field(default_factory=set)

    async def check(self, users: Sequence[str]) -> None:
        """Compare what every reading call says."""
        rows = self.model.rows()
        for size in (1, 3, 1000):
            assert await self._pages(size) == rows
        await self._check_scores(rows)
        asked = BatchGetRanksRequest(board=self.ref, user_ids=[*users, "nobody"])
        many = await self.laurel.boards.BatchGetRanks(asked)
        assert [row_of(entry) for entry in many.entries] == rows
        listed = {row.user_id for row in rows}
        assert list(many.missing_user_ids) == [user for user in asked.user_ids if user not in listed]
        for user_id in users:
            if user_id in listed or (user_id in self.shadows and user_id in self.model.standings):
                await self._check_user(user_id)
            else:
                await self._check_absence(user_id)

    async def check_snapshot(self) -> None:
        """Compare what was kept of a closed period."""
        kept = await self.laurel.ranking.GetSnapshot(GetSnapshotRequest(board=self.ref))
        rows = self.model.rows()
        assert [row_of(entry) for entry in kept.entries] == rows
        assert (kept.total_participants, kept.total_points) == (len(rows), sum(row.score for row in rows))

    async def _pages(self, size: int) -> list[Row]:
        found, token = list[Row](), ""
        while True:
            request = GetLeaderboardRequest(board=self.ref, page_size=size, page_token=token)
            page = await self.laurel.boards.GetLeaderboard(request)
            assert page.total_participants == len(self.model.rows())
            found += [row_of(entry) for entry in page.entries]
            token = page.next_page_token
            if not token:
                return found

    async def _check_scores(self, rows: list[Row]) -> None:
        bounds = sorted({row.score for row in rows})[1:4] or [0]
        low, high = bounds[0], bounds[-1]
        within = [row for row in rows if low <= row.score <= high]
        bounded = {"board": self.ref, "min_score": low, "max_score": high}
        page = await self.laurel.boards.ListByScore(ListByScoreRequest(**bounded))  # type: ignore[arg-type]
        assert [row_of(entry) for entry in page.entries] == within
        counted = await self.laurel.boards.CountByScore(CountByScoreRequest(**bounded))  # type: ignore[arg-type]
        assert counted.count == len(within)

    async def _check_user(self, user_id: str) -> None:
        rows = self.seen_by(user_id)
        at = next(place for place, row in enumerate(rows) if row.user_id == user_id)
        own = rows[at]
        asked = {"board": self.ref, "user_id": user_id}
        rank = await self.laurel.boards.GetRank(GetRankRequest(**asked))  # type: ignore[arg-type]
        assert _place(rank.rank) == (own.rank, own.rank, own.score, len(rows))
        shares = _shares(own.rank, len(rows))
        assert (rank.percentile, rank.top_percent) == shares
        standing = await self.laurel.ranking.GetStanding(GetStandingRequest(**asked))  # type: ignore[arg-type]
        assert _place(standing.rank) == _place(rank.rank)
        assert (standing.percentile, standing.top_percent) == shares
        page = await self.laurel.boards.GetLeaderboard(GetLeaderboardRequest(**asked, page_size=1))  # type: ignore[arg-type]
        assert row_of(page.user_entry) == own
        around = await self.laurel.boards.GetSurrounding(GetSurroundingRequest(**asked, range=AROUND))  # type: ignore[arg-type]
        assert [row_of(entry) for entry in around.entries] == rows[max(0, at - AROUND) : at + AROUND + 1]
        assert (around.rank, around.score, around.total_participants) == (own.rank, own.score, len(rows))
        better = [row for row in rows if row.rank < own.rank]
        assert around.next_rank.rank == (better[-1].rank if better else 0)
        if better and abs(better[-1].score - own.score) < COUNTABLE:
            assert around.next_rank.points_needed == self.model.needed(own, better[-1])

    async def _check_absence(self, user_id: str) -> None:
        asked = {"board": self.ref, "user_id": user_id}
        for call in (
            self.laurel.boards.GetRank(GetRankRequest(**asked)),  # type: ignore[arg-type]
            self.laurel.boards.GetSurrounding(GetSurroundingRequest(**asked)),  # type: ignore[arg-type]
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND

    def check_answer(self, told: BoardRank, user_id: str, before: int) -> None:
        """Compare what the answer to a change says with the board after it; `before` is the rank that the user had."""
        rank, score = self.told(user_id)
        assert _place(told) == (rank, before, score, len(self.model.rows()))

    def told(self, user_id: str) -> tuple[int, int]:
        """Return rank and score as the user sees them himself; zeros if he is not on the board."""
        return next(
            ((row.rank, row.score) for row in self.seen_by(user_id) if row.user_id == user_id), (0, 0)
        )

    def seen_by(self, user_id: str) -> list[Row]:
        """Return the list as a user sees it: a shadow user is on his own."""
        return self.model.rows(user_id if user_id in self.shadows else "")


async def check_all_ranks(laurel: Laurel, boards: Sequence[ComparedBoard], user_id: str) -> None:
    """Compare what ListUserRanks says with all boards."""
    answer = await laurel.boards.ListUserRanks(ListUserRanksRequest(user_id=user_id))
    expected = {
        name_of(board.ref): (rank, rank, score, len(board.seen_by(user_id)))
        for board in boards
        for rank, score in [board.told(user_id)]
        if rank
    }
    ours = {name_of(board.ref) for board in boards}
    assert {
        name_of(each.board): _place(each) for each in answer.ranks if name_of(each.board) in ours
    } == expected


def name_of(ref: BoardRef) -> str:
    """Return what tells the boards of a test apart."""
    return f"{ref.scope} {ref.period_id}"


def row_of(entry: LeaderboardEntry) -> Row:
    """Return an entry as the model has it."""
    return Row(entry.rank, entry.user_id, entry.score, entry.sub_score)


def _place(rank: BoardRank) -> tuple[int, int, int, int]:
    return rank.rank, rank.previous_rank, rank.score, rank.total


def _shares(rank: int, total: int) -> tuple[float, float]:
    top = (Decimal(100) * rank / total).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return float(100 - top), float(top)
