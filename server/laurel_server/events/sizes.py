"""How large the outbox is: every row is measured once, when it is new, as a sum over all of them takes long."""

from collections import deque
from typing import Final

from laurel_server.postgres import outbox
from laurel_server.postgres.outbox import Part
from laurel_server.postgres.pool import Pool

ROWS_AT_ONCE: Final = 20_000
ROWS_OF_A_PART: Final = 500
"""How finely the size is known: a bound is kept to so many rows."""


class Sizes:
    """The sizes of all parts of the outbox, oldest first, as one server knows them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._parts: deque[Part] = deque()
        self._measured = 0
        self.total = 0
        """Bytes of all rows that were measured and not removed since."""

    async def follow(self) -> None:
        """Measure what is new. Cost: an index range of it. Raises one of `errors.UNAVAILABLE`."""
        rows = ROWS_AT_ONCE
        while rows >= ROWS_AT_ONCE:
            parts = await outbox.measure(self._pool, self._measured, ROWS_AT_ONCE, ROWS_OF_A_PART)
            rows = sum(part.rows for part in parts)
            self._add(parts)

    def _add(self, parts: list[Part]) -> None:
        self._parts.extend(parts)
        self.total += sum(part.size for part in parts)
        if parts:
            self._measured = parts[-1].last_batch

    def batch_beyond(self, size: int) -> int:
        """Return up to which batch rows must go so that the others take at most `size` bytes; 0: none."""
        left, through = self.total, 0
        for part in self._parts:
            if left <= size:
                break
            left, through = left - part.size, part.last_batch
        return through

    async def forget_removed(self) -> None:
        """Leave out what is there no longer, whichever server removed it. Raises one of `errors.UNAVAILABLE`."""
        first = await outbox.first_batch(self._pool)
        while self._parts and (first is None or self._parts[0].last_batch < first):
            self.total -= self._parts.popleft().size
