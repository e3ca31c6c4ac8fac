from datetime import UTC, datetime
from math import inf

import pytest
from msgspec.structs import replace

from laurel.leaderboard.v1.leaderboard_pb2 import LeaderboardEntry
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetLeaderboardResponse
from laurel.type.v1 import board_pb2
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.periods import ALL_TIME, Period
from laurel_server.domain.views import Board, Page
from laurel_server.rpc.convert.boards import write_line
from laurel_server.rpc.convert.pages import SerializedPage, serialize_page
from tests.unit.rpc.samples import BOARD, NOW, WEEK, line, page, stamp


def serialized(page: Page) -> SerializedPage:
    return serialize_page(page, lambda mark: f"after {mark}")


def parsed(body: bytes) -> GetLeaderboardResponse:
    return GetLeaderboardResponse.FromString(body)


def entry(rank: int, *, own: bool = False) -> LeaderboardEntry:
    message = LeaderboardEntry(is_current_user=own)
    write_line(message, line(rank))
    return message


def test_a_page_has_the_lines_and_what_is_around_them() -> None:
    assert parsed(serialized(page(3)).body) == GetLeaderboardResponse(
        entries=[entry(1), entry(2), entry(3)],
        total_participants=1000,
        last_updated=stamp(NOW),
        starts_at=stamp(datetime(2026, 11, 23, tzinfo=UTC)),
        ends_at=stamp(datetime(2026, 11, 30, tzinfo=UTC)),
        next_page_token="after rank 3",
        board=board_pb2.BoardRef(scope="country:US", period=board_pb2.PERIOD_WEEKLY, period_id="2026-W48"),
    )


def test_the_bytes_are_those_that_protobuf_makes() -> None:
    body = serialized(page(200)).body
    assert parsed(body).SerializeToString() == body


def test_all_time_has_no_bounds() -> None:
    board = Board(BoardKey("global", "all"), ALL_TIME)
    response = parsed(serialized(Page(board, (), 0, NOW)).body)
    assert not response.HasField("starts_at")
    assert not response.HasField("ends_at")
    assert response.board.period == board_pb2.PERIOD_ALL_TIME


@pytest.mark.parametrize(
    ("count", "offset", "total", "token"),
    [
        (0, 0, 0, ""),
        (3, 0, 3, ""),
        (3, 0, 4, "after rank 3"),
        (3, 6, 10, "after rank 9"),
        (3, 7, 10, ""),
        (0, 20, 10, ""),
    ],
)
def test_a_token_only_where_more_follows(count: int, offset: int, total: int, token: str) -> None:
    response = parsed(serialized(page(count, offset=offset, total=total)).body)
    assert response.next_page_token == token


@pytest.mark.parametrize("rank", [1, 2, 50, 100])
def test_a_user_on_the_page_is_marked_and_repeated(rank: int) -> None:
    whole = serialized(page(100))
    assert whole.lists(f"user:{rank}")
    seen = parsed(whole.seen_by(f"user:{rank}"))
    plain = parsed(whole.body)
    assert [each.rank for each in seen.entries if each.is_current_user] == [rank]
    assert seen.user_entry == seen.entries[rank - 1] == entry(rank, own=True)
    seen.entries[rank - 1].is_current_user = False
    seen.ClearField("user_entry")
    assert seen == plain


def test_a_user_who_is_not_on_the_page_is_added() -> None:
    whole = serialized(page(3))
    assert not whole.lists("user:7")
    seen = parsed(whole.with_user_entry(line(7)))
    assert seen.user_entry == entry(7, own=True)
    seen.ClearField("user_entry")
    assert seen == parsed(whole.body)


def test_a_page_ends_before_it_outgrows_a_message() -> None:
    huge = [replace(line(rank), avatar_url="x" * 500_000) for rank in range(1, 21)]
    response = parsed(
        serialized(Page(BOARD, tuple(huge), 20, NOW, [str(rank) for rank in range(1, 21)])).body
    )
    assert len(response.entries) == 7
    assert response.next_page_token == "after 7"
    assert response.ByteSize() < 4 << 20


@pytest.mark.parametrize(
    ("read_at", "period", "seconds"),
    [
        (datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC), WEEK, 1.0),
        (datetime(2026, 11, 30, tzinfo=UTC), WEEK, 0),
        (datetime(2026, 12, 24, tzinfo=UTC), WEEK, 0),
        (datetime(2026, 11, 23, tzinfo=UTC), ALL_TIME, inf),
    ],
)
def test_a_page_knows_how_long_its_period_lasts(read_at: datetime, period: Period, seconds: float) -> None:
    board = Board(BoardKey("global", period.id), period)
    assert serialized(Page(board, (), 0, read_at)).seconds_left == seconds
