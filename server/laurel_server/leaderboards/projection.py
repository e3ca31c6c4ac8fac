"""From the ledger to the boards: puts users where the ledger says they stand, in one script call a batch."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.ledger import BoardRank
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.fill_call import ROWS_BESIDE_AWARDS
from laurel_server.leaderboards.loading import Loading
from laurel_server.leaderboards.patience import within_budget
from laurel_server.leaderboards.payload import MAX_PLACEMENTS, Payload, payloads, run
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.seating import Seated, seat, seatings_of, without_special
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable


@dataclass(slots=True)
class Projected:
    """Ranks after a projection. `complete` is False when one of the boards is being rebuilt: its ranks mean nothing."""

    complete: bool
    _ranks: dict[str, list[BoardRank]]

    def join(self, seated: Seated, placements: Sequence[Placement]) -> None:
        """Add the ranks on boards that are placed by themselves."""
        boards = {placement.user_id: placement.boards for placement in placements}
        for user_id, rank in seated.left:
            if rank.board in boards[user_id]:  # out of points; boards of another tier or country are not told
                self._ranks.setdefault(user_id, []).append(rank)
        self.complete = self.complete and not seated.incomplete
        for user_id, rank in seated.ranks:
            self._ranks.setdefault(user_id, []).append(rank)

    def ranks(self, user_id: str) -> tuple[BoardRank, ...]:
        """Return the user's ranks on the boards of his placement."""
        return tuple(self._ranks.get(user_id, ()))


class Projection:
    """Applies placements. `budget` is how long an award waits for its ranks, in seconds."""

    def __init__(self, redis: RedisConnection, budget: float, catalogue: Catalogue | None = None) -> None:
        self._redis = redis
        self._budget = budget
        self._catalogue = catalogue or Catalogue()

    async def project(self, placements: Sequence[Placement], created: Collection[BoardKey] = ()) -> Projected:
        """Apply placements, each user at most once, and return the ranks; watchers are told by the same call.

        `created` are boards that the ledger has just registered. BoardsUnavailable beyond the budget (`within_budget`).
        """
        try:
            return await within_budget(self.apply(placements, created), self._redis, self._budget)
        except TimeoutError as late:
            raise BoardsUnavailable(str(late)) from late

    async def apply(self, placements: Sequence[Placement], created: Collection[BoardKey] = ()) -> Projected:
        """Apply placements without a budget. BoardsUnavailable when Redis is away."""
        if self._catalogue.matrix.is_plain:
            return await self._apply_plain(placements, created)
        plain, seated = await asyncio.gather(
            self._apply_plain(without_special(placements, self._catalogue.matrix), created),
            self._seat(placements, created),
        )
        plain.join(seated, placements)
        return plain

    async def _apply_plain(self, placements: Sequence[Placement], created: Collection[BoardKey]) -> Projected:
        chunks = payloads(placements, MAX_PLACEMENTS, one_board=self._redis.one_slot)
        replies = await asyncio.gather(
            *(self._run(chunk, chunk.encode(created, ranked=True)) for chunk in chunks)
        )
        ranks: dict[str, list[BoardRank]] = {}
        is_filling = self._catalogue.is_filling
        complete = [
            chunk.read(reply, ranks, is_filling) for chunk, reply in zip(chunks, replies, strict=True)
        ]
        return Projected(all(complete), ranks)

    async def _run(self, payload: Payload, body: bytes) -> list[Any]:
        try:
            return await run(self._redis, payload, body, tell=True)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away

    async def _seat(self, placements: Sequence[Placement], created: Collection[BoardKey]) -> Seated:
        seatings = seatings_of(placements, self._catalogue.matrix)
        try:
            return await seat(
                self._redis, seatings, created, ranked=True, tell=True, filling=self._catalogue.is_filling
            )
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away

    def loading(self, at_once: int = ROWS_BESIDE_AWARDS, *, tell: bool, claim: str = "") -> Loading:
        """Return what applies many placements without asking for ranks, with `at_once` rows in one call, of all boards.

        `tell`: watchers learn of it. `claim`: that of a fill, see `Loading`.
        """
        return Loading(self._redis, self._catalogue, at_once, tell=tell, claim=claim)

    async def load(self, placements: Sequence[Placement], *, tell: bool) -> None:
        """Apply placements without asking for ranks. `tell`: watchers learn of it. BoardsUnavailable."""
        async with self.loading(tell=tell) as loading:
            await loading.add(placements)
