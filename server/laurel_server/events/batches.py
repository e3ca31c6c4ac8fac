"""Which records go to Kafka together, and how many bytes Kafka takes at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from laurel_server.events.topics import Record

BATCH_BYTES: Final = 256 << 10
"""A batch is no larger, whatever Kafka would take, unless it is one record alone."""

_RECORD_BYTES: Final = 500
"""What key, headers and framing of a record take at most: a name of a scope has up to 256 bytes in UTF-8."""

Batch: TypeAlias = Sequence[Record]
"""Records that go together."""


class BatchSizes:
    """How many bytes a batch of each topic may have: what Kafka tells, and less where it refused as much."""

    def __init__(self) -> None:
        self._told: Mapping[str, int] = {}
        self._refused: dict[str, int] = {}

    def tell(self, limits: Mapping[str, int]) -> None:
        """Know what Kafka takes, by topic, as far as it tells. That may explain what it refused before."""
        self._told = limits
        self._refused = {
            topic: size for topic, size in self._refused.items() if size <= limits.get(topic, BATCH_BYTES)
        }

    def refused(self, batch: Batch) -> None:
        """Know of a batch that was too large: those after it have half its size at most."""
        topic, size = batch[0].topic, sum(map(_size, batch))
        self._refused[topic] = min(size, self._refused.get(topic, size))

    def of(self, topic: str) -> int:
        """Return the most bytes for a batch of a topic."""
        known = self._told.get(topic, BATCH_BYTES), self._refused.get(topic, 2 * BATCH_BYTES) // 2
        return min(BATCH_BYTES, *known)


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
