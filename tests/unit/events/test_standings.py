import pytest

from laurel.events.v1.events_pb2 import BoardStanding, LeaderboardUpdated, RewardsEarned
from laurel.type.v1.board_pb2 import BoardRef, Period
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.views import RanksOnBoard
from laurel_server.events.standings import field_of, standings_of

WEEK = BoardKey("global", "2026-W48")


def standing(board: BoardKey, rank: int, score: int, total: int) -> RanksOnBoard:
    return RanksOnBoard(board, ["nobody", "ada"], total, [0, rank], [0, score])


@pytest.mark.parametrize("kind", [RewardsEarned, LeaderboardUpdated])
@pytest.mark.parametrize(
    "boards",
    [
        [],
        [standing(WEEK, 1, 2**53, 10_000_000)],
        [standing(WEEK, 3, 70, 9), standing(BoardKey("arena", "all"), 2, -(2**53), 16_384)],
        [standing(BoardKey("a" * 150, "all"), 5, 1, 5)],
    ],
)
def test_standings_join_a_record_as_if_they_had_been_set(
    kind: type[RewardsEarned | LeaderboardUpdated], boards: list[RanksOnBoard]
) -> None:
    standings = standings_of(boards)
    assert "nobody" not in standings
    parts = [message for _, message in standings.get("ada", ())]
    joined = kind.FromString(kind(event_id="7", user_id="ada").SerializeToString() + field_of(kind, parts))
    assert (joined.event_id, joined.user_id) == ("7", "ada")
    told = [
        (each.board.scope, each.board.period_id, each.rank, each.score, each.total)
        for each in joined.standings
    ]
    assert told == [(*each.board, each.ranks[1], each.scores[1], each.total) for each in boards]


def test_points_boards_are_told_with_their_period() -> None:
    ((period_id, message),) = standings_of([standing(WEEK, 1, 5, 1)])["ada"]
    assert period_id == "2026-W48"
    (told,) = RewardsEarned.FromString(field_of(RewardsEarned, [message])).standings
    board = BoardRef(scope="global", period=Period.PERIOD_WEEKLY, period_id="2026-W48")
    assert told == BoardStanding(board=board, rank=1, score=5, total=1)
