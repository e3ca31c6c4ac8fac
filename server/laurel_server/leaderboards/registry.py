"""What the ledger says of boards: which exist, and on which a user belongs."""

from laurel_server.domain.boards import BoardKey, BoardMatrix
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.leaderboards.placements import boards_of
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.standings import is_registered, read_member


class BoardRegistry:
    """Answers whether a board instance has ever had a member. Boards never leave the registry, so "yes" is kept."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._registered: set[BoardKey] = set()

    async def has(self, board: BoardKey) -> bool:
        """Return whether the ledger has put anybody on the board. LEDGER_UNAVAILABLE."""
        if board not in self._registered:
            async with ledger_errors():
                if await is_registered(self._pool, board):
                    self._registered.add(board)
        return board in self._registered

    async def boards_of(self, user_id: str, matrix: BoardMatrix) -> tuple[BoardKey, ...]:
        """Return the boards on which the user belongs now. USER_NOT_FOUND, LEDGER_UNAVAILABLE."""
        async with ledger_errors():
            member = await read_member(self._pool, user_id)
        if member is None:
            raise LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
        return boards_of(member, matrix)
