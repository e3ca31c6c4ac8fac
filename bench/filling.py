"""Boards of many members: users written into the ledger by one statement, boards filled from it by Laurel itself."""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import grpc

from bench.laurel import Laurel
from bench.people import GLOBAL
from laurel.admin.v1.admin_service_pb2 import RebuildBoardsRequest
from laurel.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from laurel.admin.v1.boards_pb2 import DeleteBoardRequest, ListBoardsRequest

_SQL = Path(__file__).with_name("sql") / "fill_users.sql"
_REGISTER = """
INSERT INTO leaderboard_periods (scope, period_id, period_type) VALUES ('global', 'all', 6) ON CONFLICT DO NOTHING
"""
_AT_ONCE = 250_000
_KEPT = {"global-daily", "global-weekly", "global-monthly", "global-all"}
_SECONDS = 1200.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A rebuild of the global all-time board."""

    members: int
    seconds: float

    @property
    def rate(self) -> float:
        """Members a second."""
        return self.members / self.seconds


async def fill(laurel: Laurel, members: int) -> Rebuilt:
    """Give `members` users points on the global all-time board; boards by country and tier are taken away.

    The users have no entries: the ledger is right about where they stand, not about how they came to it.
    """
    async with grpc.aio.insecure_channel(laurel.address) as channel:
        admin = AdminServiceStub(channel)
        for board in (await admin.ListBoards(ListBoardsRequest())).boards:
            if board.board_id not in _KEPT:
                await admin.DeleteBoard(DeleteBoardRequest(request_id=uuid4().hex, board_id=board.board_id))
        await _write(laurel.pg_dsn, members)
        request = RebuildBoardsRequest(request_id=uuid4().hex, board=GLOBAL)
        answer = await admin.RebuildBoards(request, timeout=_SECONDS)
    return Rebuilt(answer.members, answer.took.ToTimedelta().total_seconds())


async def _write(dsn: str, members: int) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET statement_timeout = 0")
        for first in range(0, members, _AT_ONCE):
            statement = _SQL.read_text(encoding="utf-8")
            await connection.execute(statement, first, min(_AT_ONCE, members - first), timeout=_SECONDS)
        await connection.execute("ANALYZE users, user_rewards", timeout=_SECONDS)
        # Last, or Laurel itself would begin to fill the board while its users are still written.
        await connection.execute(_REGISTER)
    finally:
        await connection.close()
