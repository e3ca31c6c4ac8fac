"""Archived boards: out of Redis, and back for a while when somebody reads them."""

import asyncio

import structlog

from laurel_server.domain.boards import BoardKey, TiePolicy, Traits, is_score_board
from laurel_server.domain.errors import LaurelError
from laurel_server.leaderboards.board_fill import READ_AT_ONCE, new_claim
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.placing import Placing
from laurel_server.leaderboards.projection import Projection
from laurel_server.leaderboards.reading import look
from laurel_server.leaderboards.score_seats import seatings_of_scorers
from laurel_server.leaderboards.seating import seat
from laurel_server.postgres import scores, standings
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.turns import Turns
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import all_keys, board_keys, extra_keys, slot_names
from laurel_server.redis.scripts import script

log = structlog.get_logger()

STAYS_SECONDS = 3600
"""How long a board that was brought back stays in Redis; as much of it as came, too, if the server dies over it."""

PATIENCE_SECONDS = 3.0
"""How long a read waits for its board; a board of some 100,000 members is back in that time."""


class Archive:
    """Fills archived boards from the ledger on demand, sending `chunk` users at a time.

    So there is one way to read boards, whatever their age, and no second one in SQL that would have to agree with it on
    every rank.
    """

    def __init__(
        self,
        pool: Pool,
        redis: RedisConnection,
        projection: Projection,
        catalogue: Catalogue,
        turns: Turns,
        chunk: int,
    ) -> None:
        self._pool = pool
        self._turns = turns
        self._redis = redis
        self._projection = projection
        self._catalogue = catalogue
        self._chunk = chunk
        self._coming: dict[BoardKey, asyncio.Task[None]] = {}

    async def bring_back(self, board: BoardKey) -> bool:
        """Put an archived board back into Redis, and return whether it is one.

        Returns after some seconds even if it is not back yet: it comes all the same. LEDGER_UNAVAILABLE.
        """
        async with ledger_errors():
            if not await standings.is_archived(self._pool, board):
                return False
        task = self._coming.get(board)
        if task is None:
            task = self._coming[board] = asyncio.create_task(self._bring(board))
            task.add_done_callback(lambda _done: self._coming.pop(board, None))
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        return True

    async def _bring(self, board: BoardKey) -> None:
        try:
            async with self._turns.turn():
                traits = self._catalogue.traits_of(board)
                if not await self._is_whole(board, traits):
                    members = await self._fill(board, traits.slots)
                    await self._drop_forgotten(board, traits.slots)
                    log.info("board.brought_back", board=tuple(board), members=members)
        except (BoardsUnavailable, LaurelError, RedisUnavailable, *UNAVAILABLE) as away:
            log.warning("board.not_brought_back", board=tuple(board), error=f"{type(away).__name__}: {away}")

    async def _is_whole(self, board: BoardKey, traits: Traits) -> bool:
        """Return whether Redis has all of a board; one that was filled before it became DENSE has no levels."""
        if not (await look(self._redis, board, traits.slots))[0]:
            return False
        return traits.tie_policy is not TiePolicy.DENSE or bool(
            await self._redis.call("EXISTS", extra_keys(board).levels)
        )

    async def _drop_forgotten(self, board: BoardKey, slots: int) -> None:
        """Drop what was brought back of a board that was deleted meanwhile: it may have been cleared away before."""
        if not await standings.is_archived(self._pool, board):
            for slot in slot_names(slots):
                await self._redis.call("UNLINK", *all_keys(board, slot))

    async def _load(self, board: BoardKey, claim: str) -> int:
        members, place = 0, Placing(self._catalogue.matrix, {board})
        async with self._projection.loading(self._chunk, tell=False, claim=claim) as loading:
            async for chunk in standings.scan_board(self._pool, READ_AT_ONCE, board):
                await loading.add([place(member) for member in chunk])
                members += len(chunk)
        return members

    async def _load_scores(self, board: BoardKey, claim: str) -> int:
        members = 0
        async for chunk in scores.scan(self._pool, board, READ_AT_ONCE):
            seatings = seatings_of_scorers(chunk, self._catalogue)
            await seat(self._redis, seatings, ranked=False, tell=False, claim=claim)
            members += len(chunk)
        return members

    async def _fill(self, board: BoardKey, slots: int) -> int:
        """Fill a board, all of which goes by itself from the first step on: who fills it may die over it."""
        claim = new_claim()
        for slot in slot_names(slots):
            await script("empty").run(self._redis, all_keys(board, slot), claim, STAYS_SECONDS)
        load = self._load_scores if is_score_board(board.scope) else self._load
        members = await load(board, claim)
        for slot in slot_names(slots):
            names = (board_keys(board, slot).members,)
            if not await script("complete").run(self._redis, names, claim):
                raise BoardsUnavailable("the board was lost again while it was filled")
            for key in all_keys(board, slot):
                await self._redis.call("EXPIRE", key, STAYS_SECONDS)
        return members
