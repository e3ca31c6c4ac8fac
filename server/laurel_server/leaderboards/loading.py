"""Applying many placements in the background, where nobody waits for the ranks that come of them."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from laurel_server.domain.boards import BoardKey
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.fill_call import FillCall, apart
from laurel_server.leaderboards.fill_order import FillOrder
from laurel_server.leaderboards.payload import MAX_PLACEMENTS, Payload, payloads, run
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.seating import seat, seatings_of, without_special
from laurel_server.leaderboards.window import Window
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import BOARD_CHANGES, signal_of
from laurel_server.redis.scripts import script

CALLS_TO_SERVER = 4
"""Script calls of one loading that wait for Redis at a time: meanwhile the next users are read and placed."""

CALLS_TO_CLUSTER = 16
"""The same for a cluster, on which they go to different boards."""


class Loading:
    """Applies placements, some at a time, so that reads and awards get their turn; all have been when its block ends.

    Who is put on a board waits for others whose places are near (`FillOrder`). A user may be among the placements
    twice only with a `flush` between: the scripts tell old from new, and look at each user of a call once.
    """

    def __init__(
        self, redis: RedisConnection, catalogue: Catalogue, at_once: int, *, tell: bool, claim: str = ""
    ) -> None:
        """`at_once`: rows in one call, of all its boards. `tell`: watchers learn of it.

        `claim`: that of a fill. It puts users only on boards that are claimed so: what it has read may be older than
        what others have done to a board that was lost since then, or that another fill has emptied.
        """
        self.lost: set[BoardKey] = set()
        """The boards on which the claim did not hold any more."""
        self._redis = redis
        self._claim = claim
        self._catalogue = catalogue
        self._users_off = min(at_once, MAX_PLACEMENTS)
        self._tell = tell
        self._order = FillOrder(at_once, one_board=redis.one_slot)
        self._window = Window(CALLS_TO_CLUSTER if redis.one_slot else CALLS_TO_SERVER)

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Apply what is left; after an error give it up. BoardsUnavailable."""
        try:
            if error is None:
                await self.flush()
        finally:
            self._window.cancel()

    async def add(self, placements: Sequence[Placement]) -> None:
        """Apply placements now or later. BoardsUnavailable when Redis is away."""
        if not self._catalogue.matrix.is_plain:
            await self._seat(placements)
            placements = without_special(placements, self._catalogue.matrix)
        on, off = apart(placements)
        for call in self._order.add(on):
            await self._window.add(self._fill(call))
        for payload in payloads(off, self._users_off, one_board=self._redis.one_slot):
            await self._window.add(self._take_off(payload))
        await asyncio.sleep(0)  # perhaps nothing was full: awards and reads get their turn all the same

    async def flush(self) -> None:
        """Apply all that was added. BoardsUnavailable when Redis is away."""
        for call in self._order.rest():
            await self._window.add(self._fill(call))
        await self._window.end()

    async def _fill(self, call: FillCall) -> None:
        channel, signal = (BOARD_CHANGES, signal_of(call.boards)) if self._tell else ("", "")
        try:
            left_alone = await script("fill").run(
                self._redis, call.keys, call.encode(), channel, signal, self._claim
            )
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away
        self.lost.update(call.boards[number - 1] for number in left_alone)

    async def _take_off(self, payload: Payload) -> None:
        try:
            await run(self._redis, payload, payload.encode((), ranked=False), tell=self._tell)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away

    async def _seat(self, placements: Sequence[Placement]) -> None:
        try:
            seatings = seatings_of(placements, self._catalogue.matrix)
            seated = await seat(self._redis, seatings, ranked=False, tell=self._tell, claim=self._claim)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away
        self.lost |= seated.lost
