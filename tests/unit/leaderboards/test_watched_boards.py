"""Who watches which instance of a board, without any engine."""

from datetime import UTC, datetime, timedelta
from typing import cast

from structlog.testing import capture_logs

from laurel_server.domain.board_configs import board_not_found
from laurel_server.domain.boards import PLAIN, BoardKey
from laurel_server.domain.periods import PeriodType, period_at
from laurel_server.domain.views import Board
from laurel_server.leaderboards.live.boards import WatchedBoards
from laurel_server.leaderboards.live.ports import BoardQuery, BoardReader
from laurel_server.leaderboards.live.tops import TopBoard, TopWatch
from laurel_server.leaderboards.live.turns import Turns

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAILY = BoardQuery("global", PeriodType.DAILY, "")


def day(moment: datetime) -> Board:
    period = period_at(PeriodType.DAILY, moment, UTC)
    return Board(BoardKey("global", period.id), period, PLAIN)


def test_of_a_board_that_was_deleted_under_its_watchers_the_log_tells_once() -> None:
    watched = WatchedBoards(lambda board: TopBoard(board, cast("BoardReader", None)))
    watch = TopWatch(Turns(), DAILY, watched.at(day(NOON)), 10)
    tomorrow = NOON + timedelta(days=1)

    def deleted(_query: BoardQuery) -> Board:
        raise board_not_found("global")

    with capture_logs() as logged:
        for _ in range(3):
            watched.follow(tomorrow, deleted)
        watched.follow(tomorrow, lambda _: day(tomorrow))  # it was created again

    assert [each["event"] for each in logged] == ["watch.period_unresolved"]
    assert len(watched) == 2
    assert not watched.at(day(NOON)).is_watched
    assert watched.at(day(tomorrow)).is_watched
    assert watch.query == DAILY
