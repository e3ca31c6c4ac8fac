"""The open streams of a process: their heartbeats, their slow readers, their end."""

import asyncio
from typing import Any, Final

import structlog

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.leaderboards.live.ports import Pace
from laurel_server.leaderboards.live.turns import Turns
from laurel_server.leaderboards.live.watch import Watch

log = structlog.get_logger()

_SWEEPS: Final = 10
"""How often heartbeats and stuck readers are looked for, within the shorter of the two times."""


class Streams:
    """The open streams. No stream has a timer of its own: one sweep looks at all of them."""

    def __init__(self, pace: Pace) -> None:
        self.turns = Turns()
        self._pace = pace
        self._watches: set[Watch[Any]] = set()
        self._all_left = asyncio.Event()
        self._is_draining = False
        self._next_sweep = 0.0

    def __len__(self) -> int:
        return len(self._watches)

    def refuse_while_draining(self) -> None:
        """Raise DRAINING once `end_all` was called."""
        if self._is_draining:
            raise LaurelError(
                Reason.DRAINING, "this server is shutting down; another one goes on from the token"
            )

    def add(self, watch: Watch[Any]) -> None:
        """Look after a stream."""
        self._watches.add(watch)
        self._all_left.clear()

    def close(self, watch: Watch[Any]) -> None:
        """Forget a stream; harmless if it is forgotten already."""
        watch.close()
        self._watches.discard(watch)
        if not self._watches:
            self._all_left.set()

    def sweep(self, now: float) -> None:
        """Have silent streams send heartbeats; end those with stuck readers. O(streams) every few seconds."""
        self.turns.tick(now)
        if now < self._next_sweep:
            return
        self._next_sweep = now + min(self._pace.heartbeat, self._pace.write_timeout) / _SWEEPS
        self._end_stuck()
        for watch in self._watches:
            if watch.is_silent(self._pace):
                watch.beat()

    async def end_all(self, reason: Reason) -> None:
        """End every stream in-band and wait until all have left; later ones are refused."""
        self._is_draining = True
        for watch in self._watches:
            watch.end(reason)
        if self._watches:
            await self._all_left.wait()

    def _end_stuck(self) -> None:
        """Forget streams whose readers accept nothing.

        What is being written stays with gRPC: the stream says why it ended when its reader goes on.
        """
        for watch in [watch for watch in self._watches if watch.is_stuck(self._pace)]:
            watch.end(Reason.READER_TOO_SLOW)
            self.close(watch)
            log.info("watch.reader_too_slow", open_streams=len(self._watches))
