"""Streaming load: many open streams, and how many messages reach them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from time import perf_counter

from bench.load.connection import Connection
from bench.load.unary import Target, until

CONNECTIONS = 20

_PREFIX_BYTES = 5


class _Reader(Connection):
    """Counts the messages of its streams."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.path, target.address)
        self.messages = 0
        self.served: set[int] = set()
        self.failures: Counter[str] = Counter()
        self._incomplete: dict[int, bytes] = {}

    def on_data(self, stream: int, data: bytes) -> None:
        if stream in self._incomplete:
            data = self._incomplete.pop(stream) + data
        position, available = 0, len(data)
        while available - position >= _PREFIX_BYTES:
            end = position + _PREFIX_BYTES + int.from_bytes(data[position + 1 : position + _PREFIX_BYTES])
            if end > available:
                break
            self.messages += 1
            position = end
        if position < available:
            self._incomplete[stream] = data[position:]
        self.served.add(stream)

    def on_end(self, stream: int, status: str) -> None:
        del stream
        self.failures[status] += 1

    def on_lost(self) -> None:
        self.failures["lost"] += 1


class Streams:
    """Open streams of one method."""

    def __init__(self, readers: Sequence[_Reader]) -> None:
        self._readers = readers

    @property
    def messages(self) -> int:
        """How many messages have arrived on all streams."""
        return sum(reader.messages for reader in self._readers)

    @property
    def served(self) -> int:
        """How many streams have got a message."""
        return sum(len(reader.served) for reader in self._readers)

    @property
    def failures(self) -> Counter[str]:
        """The streams that ended, by status."""
        return sum((reader.failures for reader in self._readers), Counter())

    async def all_served(self, count: int, seconds: float) -> None:
        """Wait until `count` streams have got a message, but not longer than `seconds`."""
        await until(lambda: self.served >= count, seconds)

    async def message_rate(self, seconds: float) -> float:
        """Return how many messages arrive per second."""
        before, started = self.messages, perf_counter()
        await asyncio.sleep(seconds)
        return (self.messages - before) / (perf_counter() - started)

    def close(self) -> None:
        """Hang up."""
        for reader in self._readers:
            reader.close()


async def open_streams(target: Target, requests: Sequence[bytes]) -> Streams:
    """Open one stream for each request, all at once."""
    loop = asyncio.get_running_loop()
    host, port = target.address.rsplit(":", 1)
    made = [
        await loop.create_connection(lambda: _Reader(target), host, int(port)) for _ in range(CONNECTIONS)
    ]
    readers = [reader for _, reader in made]
    for number, request in enumerate(requests):
        readers[number % CONNECTIONS].call(request)
    for reader in readers:
        reader.flush()
    return Streams(readers)
