import pytest

from laurel.leaderboard.v1.leaderboard_pb2 import LeaderboardEntry, NextRank
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetSurroundingResponse
from laurel.type.v1 import board_pb2, tier_pb2
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.ledger import BoardRank
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.views import Place, Target
from laurel_server.rpc.convert.boards import (
    read_board,
    write_board,
    write_line,
    write_next_rank,
    write_place,
    write_rank,
)
from tests.unit.rpc.samples import BOARD, line

Query = tuple[str, PeriodType | None, str]


@pytest.mark.parametrize(
    ("ref", "query"),
    [
        (board_pb2.BoardRef(), ("", None, "")),
        (
            board_pb2.BoardRef(scope="tier:gold", period=board_pb2.PERIOD_WEEKLY),
            ("tier:gold", PeriodType.WEEKLY, ""),
        ),
        (board_pb2.BoardRef(scope="global", period_id="2026-W48"), ("global", None, "2026-W48")),
    ],
)
def test_a_reference_is_read_as_it_was_asked_for(ref: board_pb2.BoardRef, query: Query) -> None:
    assert read_board(ref) == query


@pytest.mark.parametrize("period_type", PeriodType)
def test_periods_have_the_numbers_of_the_contract(period_type: PeriodType) -> None:
    assert board_pb2.Period.Name(board_pb2.Period.ValueType(period_type)) == f"PERIOD_{period_type.name}"


@pytest.mark.parametrize(
    ("period_id", "period"),
    [
        ("2026-11-23", board_pb2.PERIOD_DAILY),
        ("2026-W48", board_pb2.PERIOD_WEEKLY),
        ("2026-11", board_pb2.PERIOD_MONTHLY),
        ("2026-Q4", board_pb2.PERIOD_QUARTERLY),
        ("2026", board_pb2.PERIOD_YEARLY),
        ("all", board_pb2.PERIOD_ALL_TIME),
    ],
)
def test_a_board_is_written_with_its_period(period_id: str, period: board_pb2.Period.ValueType) -> None:
    ref = board_pb2.BoardRef()
    write_board(ref, BoardKey("country:US", period_id))
    assert ref == board_pb2.BoardRef(scope="country:US", period=period, period_id=period_id)


@pytest.mark.parametrize("rank", [BoardRank(BOARD.key, 1, 2, 3, 4), BoardRank(BOARD.key, 0, 7, 0, 0)])
def test_a_rank_is_written_whole(rank: BoardRank) -> None:
    target = board_pb2.BoardRank()
    write_rank(target, rank)
    assert target == board_pb2.BoardRank(
        board=board_pb2.BoardRef(scope="country:US", period=board_pb2.PERIOD_WEEKLY, period_id="2026-W48"),
        rank=rank.rank,
        previous_rank=rank.previous_rank,
        score=rank.score,
        total=rank.total,
    )


def test_a_place_that_was_read_has_not_moved() -> None:
    target = board_pb2.BoardRank()
    write_place(target, Place(BOARD, "user:1", rank=16, score=5, total=125_000))
    assert (target.rank, target.previous_rank, target.score, target.total) == (16, 16, 5, 125_000)
    assert target.board.period_id == "2026-W48"


def test_a_line_is_written_whole() -> None:
    target = LeaderboardEntry()
    write_line(target, line(3))
    assert target == LeaderboardEntry(
        rank=3,
        user_id="user:3",
        username="Name 3",
        avatar_url="https://cdn.example/3.png",
        score=999_997,
        sub_score=3,
        tier=tier_pb2.TIER_PLATINUM,
        country="US",
    )


def test_the_next_rank_is_unset_where_there_is_none() -> None:
    response = GetSurroundingResponse()
    write_next_rank(response.next_rank, None)
    write_next_rank(response.next_milestone, Target(3, 120))
    assert not response.HasField("next_rank")
    assert response.next_milestone == NextRank(rank=3, points_needed=120)
