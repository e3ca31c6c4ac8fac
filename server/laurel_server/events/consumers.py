"""The consumers that Laurel ships: what each has in common, and the loop that feeds it."""

from collections.abc import Sequence
from time import monotonic
from typing import Final, Protocol

from laurel_server.events.kafka import AWAY
from laurel_server.events.outbox import OvertakenError
from laurel_server.events.rounds import Rounds
from laurel_server.events.source import Polled, SetAside, Source
from laurel_server.metrics import EVENTS_CONSUMED
from laurel_server.postgres.errors import UNAVAILABLE

_LONGEST_REST_SECONDS: Final = 1.0
_REST: Final = 10
"""How many times as long as it worked a consumer rests that keeps up: rarer pages are larger and cost less."""


class Consumer(Protocol):
    """Does something with events. It may hear one again, and must then do nothing more than the first time."""

    @property
    def name(self) -> str:
        """Its name as a reader of the outbox; its group in Kafka is `laurel.NAME`."""
        ...

    @property
    def topics(self) -> Sequence[str]:
        """What it wants to hear from Kafka; from the outbox it hears all."""
        ...

    @property
    def away(self) -> tuple[type[BaseException], ...]:
        """What it raises while something that it needs is away; the events come again later."""
        ...

    async def prepare(self) -> bool:
        """Do what has to be done before it can hear events; False: not yet."""
        ...

    def forget_all(self) -> None:
        """Forget what it remembers of users: another server may have heard of them meanwhile what this one did not."""
        ...

    async def handle(self, polled: Polled, set_aside: SetAside, /) -> None:
        """Deal with events; those that it cannot read it sets aside."""
        ...


class ConsumerLoop:
    """Feeds a consumer from a source. `interval` (seconds) is the pause when there is little to hear."""

    def __init__(self, consumer: Consumer, source: Source, interval: float) -> None:
        self._consumer = consumer
        self._source = source
        self._interval = interval
        away = (*AWAY, *UNAVAILABLE, OvertakenError, *consumer.away)
        self._rounds = Rounds(consumer.name, self.hear, away, source.start_over)

    async def run(self) -> None:
        """Feed it until cancelled."""
        try:
            await self._rounds.run()
        finally:
            await self._source.close()

    async def hear(self) -> float:
        """Hear what comes next and return how long to wait for more, in seconds; what fails comes again.

        Who has much to catch up with rests as long as he works: half of the time is for calls. Who keeps up with much
        hears more at once and later, by a second at most.
        """
        if not await self._consumer.prepare():
            return self._interval
        polled = await self._source.poll()
        if polled is None:
            return self._interval
        began = monotonic()  # a poll may wait for what comes
        await self._consumer.handle(polled, self._source.set_aside)
        await self._source.commit(polled)
        EVENTS_CONSUMED.labels(self._consumer.name).inc(len(polled.events))
        worked = monotonic() - began
        return worked if polled.is_full else max(self._interval, min(_LONGEST_REST_SECONDS, _REST * worked))
