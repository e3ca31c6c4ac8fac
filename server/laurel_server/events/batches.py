"""Which records go to Kafka together, and how many bytes Kafka takes at once."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from laurel_server.events.topics import Record

BATCH_BYTES: Final = 256 << 10
"""A batch is no larger, whatever Kafka would take, unless it is one record alone."""

_RECORD_BYTES: Final = 500
"""What key, headers and framing of a record take at most: a name of a scope has up to 256 bytes in UTF-8."""

Batch: TypeAlias = Sequence[Record]
"""Records that go together."""

GROWS_AFTER_SECONDS: Final = 600.0
"""A topic whose batches became smaller takes twice as much after this time, as its limit may have been raised.

Where it was not, that costs one refused batch, and a connection for it.
"""


class Refused(NamedTuple):
    """How many bytes were too many, and when, in seconds."""

    size: int
    at: float


class BatchSizes:
    """How many bytes a batch of each topic may have: what Kafka tells, and less where it refused as much.

    Less only for a while. `seconds` is a clock that never goes back.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._told: Mapping[str, int] = {}
        self._refused: dict[str, Refused] = {}

    def tell(self, limits: Mapping[str, int]) -> None:
        """Know what Kafka takes, by topic, as far as it tells. That may explain what it refused before."""
        self._told = limits
        self._refused = {
            topic: last
            for topic, last in self._refused.items()
            if last.size <= limits.get(topic, BATCH_BYTES)
        }

    def refused(self, batch: Batch) -> None:
        """Know of a batch that was too large: those after it have half its size at most."""
        topic, size = batch[0].topic, sum(map(_size, batch))
        # One of another partition may have been larger, made before a smaller one was refused.
        self._refused[topic] = Refused(min(size, 2 * self.of(topic)), self._seconds())

    def of(self, topic: str) -> int:
        """Return the most bytes for a batch of a topic."""
        return min(BATCH_BYTES, self._told.get(topic, BATCH_BYTES), self._not_refused(topic))

    def _not_refused(self, topic: str) -> int:
        last = self._refused.get(topic)
        if last is None:
            return BATCH_BYTES
        grown = int((self._seconds() - last.at) / GROWS_AFTER_SECONDS)
        return BATCH_BYTES if grown > BATCH_BYTES.bit_length() else last.size // 2 << grown


def batches(records: Batch, most: int) -> Iterator[Batch]:
    """Yield records that go together, in their order; one that is larger than `most` bytes goes alone."""
    some: list[Record] = []
    size = 0
    for record in records:
        size += _size(record)
        if some and size > most:
            yield some
            some, size = [], _size(record)
        some.append(record)
    if some:
        yield some


def _size(record: Record) -> int:
    return len(record.payload) + _RECORD_BYTES
