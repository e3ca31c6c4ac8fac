"""Sealing: binds the digest of every batch to all before it, behind the batches and in their order.

Batches commit out of order. A number is drawn by a transaction that has its id already, so who may still commit a
batch up to number N runs now, or is over: once everything is over that ran when N was the last number drawn, the
batches up to N are final. No award waits for any of this.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import NamedTuple

import structlog

from laurel_server.domain.chain import seal
from laurel_server.metrics import CHAIN_SEALED
from laurel_server.postgres import chain
from laurel_server.postgres.chain import Seal
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.outbox import last_batch
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

BATCHES_AT_ONCE = 5000
"""Batches that are read and sealed together: some 20 ms."""


class _Horizon(NamedTuple):
    """When all transactions with ids below `next` are over, the batches up to `batch_no` are final.

    `next` is an id that was taken after `batch_no` was read: who had drawn a number by then has a lower one. (What a
    snapshot calls its upper bound is no such id: transactions beyond it may run.)
    """

    batch_no: int
    next: int


class Sealing:
    """The loop of the leading server; the others stand by. `interval` is in seconds."""

    def __init__(self, pool: Pool, leadership: Leadership, interval: float) -> None:
        self._pool = pool
        self._leadership = leadership
        self._interval = interval
        self._horizons: deque[_Horizon] = deque()
        self._final = 0

    async def run(self) -> None:
        """Seal until cancelled; then give the leadership back."""
        try:
            while True:
                await asyncio.sleep(self._interval)
                await self._try_to_advance()
        finally:
            with suppress(*UNAVAILABLE):
                await self._leadership.close()

    async def _try_to_advance(self) -> None:
        try:
            if await self._leadership.held():
                await self.advance()
        except UNAVAILABLE as away:
            log.warning("sealing.postponed", error=f"{type(away).__name__}: {away}")
        except Exception:  # without this loop nothing would be sealed any more
            log.exception("sealing.failed")

    async def advance(self) -> int:
        """Seal what has become final since an earlier look; return up to which batch everything is final."""
        drawn = await last_batch(self._pool)
        if drawn > max(self._final, self._horizons[-1].batch_no if self._horizons else 0):
            self._horizons.append(_Horizon(drawn, await chain.next_transaction(self._pool)))
        oldest = await chain.oldest_running(self._pool)
        final = 0
        while self._horizons and self._horizons[0].next <= oldest:
            final = self._horizons.popleft().batch_no
        if final:
            await self._seal_up_to(final)
            self._final = final
        return self._final

    async def _seal_up_to(self, final: int) -> None:
        latest = await chain.last_seal(self._pool)
        while batches := await chain.unsealed(self._pool, latest.batch_no, final, BATCHES_AT_ONCE):
            seals: list[Seal] = []
            for batch_no, digest in batches:
                latest = Seal(batch_no, seal(latest.seal, batch_no, digest))
                seals.append(latest)
            await chain.add_seals(self._pool, seals)
            CHAIN_SEALED.set(latest.batch_no)
