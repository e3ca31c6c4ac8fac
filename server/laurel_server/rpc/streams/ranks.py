"""WatchRank: standings as messages, and as what a token remembers of them."""

from functools import lru_cache
from struct import Struct
from typing import Final

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchRankResponse
from laurel.leaderboard.v1.watch_pb2 import Heartbeat
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.movement import Standing, movement
from laurel_server.leaderboards.live.ranks import RankNews, RankWatch, ToldStanding
from laurel_server.rpc.convert.boards import write_board
from laurel_server.rpc.streams.messages import Messages
from laurel_server.rpc.streams.tokens import ResumeTokens

_STANDING: Final = Struct("!IqB")  # rank, score, bytes of the period id that follows
_NOTHING: Final = _STANDING.pack(0, 0, 0)


class RankMessages(Messages[RankNews]):
    """The messages of one WatchRank."""

    RESPONSE = WatchRankResponse
    HEAD = WatchRankResponse()
    HEARTBEAT = WatchRankResponse(heartbeat=Heartbeat()).SerializeToString()

    def __init__(self, watch: RankWatch, tokens: ResumeTokens, sequence: int) -> None:
        super().__init__(tokens, sequence)
        self._subscriptions = watch.subscriptions

    def _news(self, news: RankNews) -> bytes:
        response = _response_about(news.board.key)
        update = response.update
        update.rank, update.score = news.now
        update.previous_rank, update.points_earned, update.message = movement(news.told, news.now)
        update.total = news.total
        return response.SerializeToString()

    def _told(self) -> bytes:
        return b"".join(
            [_packed(each.told_in, each.told) if each.told else _NOTHING for each in self._subscriptions]
        )


def read_told(told: bytes) -> list[ToldStanding | None]:
    """Return what a token of `RankMessages` says of each board, in order."""
    standings = []
    position = 0
    while position < len(told):
        rank, score, size = _STANDING.unpack_from(told, position)
        position += _STANDING.size
        period_id = told[position : position + size].decode()
        position += size
        standings.append(ToldStanding(period_id, Standing(rank, score)) if size else None)
    return standings


@lru_cache(maxsize=1024)
def _response_about(board: BoardKey) -> WatchRankResponse:
    """Return a message to fill in, the same for all who watch a board: to build one anew takes thrice as long."""
    response = WatchRankResponse()
    write_board(response.update.board, board)
    return response


def _packed(period_id: str, standing: Standing) -> bytes:
    encoded = period_id.encode()
    return _STANDING.pack(standing.rank, standing.score, len(encoded)) + encoded
