"""Topics of Kafka as the source of a consumer: its group shares their partitions among the servers."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import TopicPartition

from laurel_server.events.bodies import body_of
from laurel_server.events.kafka import AWAY, Topics
from laurel_server.events.outbox import UNREADABLE
from laurel_server.events.outbox_source import reader_caught_up
from laurel_server.events.relay import READER as RELAY
from laurel_server.events.source import Heard, Polled
from laurel_server.events.topics import SOURCE
from laurel_server.metrics import CONSUMER_LAG, EVENTS_LAG_SECONDS, EVENTS_SET_ASIDE
from laurel_server.postgres import outbox
from laurel_server.postgres.pool import Pool

RECORDS_AT_ONCE: Final = 1000
_POLL_MS: Final = 200
_LOOK_AGAIN_SECONDS: Final = 0.1


class KafkaSource:
    """A member of the group `laurel.NAME`. Connects with the first poll and anew after an error.

    `forget_all` is called when partitions come to this member: another may have heard before what they said.
    """

    def __init__(
        self,
        pool: Pool,
        topics: Topics,
        name: str,
        wanted: Sequence[str],
        timeout: float,
        forget_all: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._topics = topics
        self._name = name
        self._wanted = wanted
        self._timeout = timeout
        self._forget_all = forget_all
        self._consumer: AIOKafkaConsumer | None = None
        self._connecting = asyncio.Lock()

    async def poll(self) -> Polled | None:
        """Return the next records of the partitions that this member has. Raises one of AWAY."""
        consumer = await self._connected()
        found = await consumer.getmany(timeout_ms=_POLL_MS, max_records=RECORDS_AT_ONCE)
        self._measure(consumer, found)
        if not found:
            return None
        events = [
            heard for records in found.values() for record in records if (heard := await self._heard(record))
        ]
        end = {partition: records[-1].offset + 1 for partition, records in found.items()}
        is_full = sum(map(len, found.values())) >= RECORDS_AT_ONCE
        return Polled(events, ranked=True, is_full=is_full, end=end)

    async def commit(self, polled: Polled) -> None:
        """Commit the offsets; a member that has the partitions now hears the records again. Raises one of AWAY."""
        consumer = await self._connected()
        with suppress(CommitFailedError, IllegalStateError):
            await consumer.commit(polled.end)

    async def set_aside(self, heard: Heard, error: Exception) -> None:
        """Put the record into the table `events_set_aside`."""
        await self._set_aside(heard.origin, error)

    async def start_over(self) -> None:
        """Hear again what was not committed; leave the group if it cannot be asked."""
        if self._consumer is None:
            return
        try:
            await _rewind(self._consumer)
        except AWAY:
            await self.close()

    async def caught_up(self, batch_no: int, seconds: float) -> bool:
        """Wait until the relay has published all events up to a batch, and the group committed what is there then."""
        deadline = time.monotonic() + seconds
        if not await reader_caught_up(self._pool, RELAY, batch_no, deadline):
            return False
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await self._committed_all()
        except AWAY:  # TimeoutError is one of them
            return False

    async def _committed_all(self) -> bool:
        consumer = await self._connected()
        partitions = [
            TopicPartition(topic, partition)
            for topic in self._wanted
            for partition in consumer.partitions_for_topic(topic) or ()
        ]
        ends = await consumer.end_offsets(partitions)
        for partition, end in ends.items():
            await _until_committed(consumer, partition, end)
        return True

    async def close(self) -> None:
        """Leave the group."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _leave(consumer, self._timeout)

    async def _connected(self) -> AIOKafkaConsumer:
        async with self._connecting:
            if self._consumer is None:
                await (
                    self._topics.make()
                )  # before subscribing, which would have brokers make them in their own way
                self._consumer = await self._joined()
            return self._consumer

    async def _joined(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._topics.bootstrap,
            client_id="laurel",
            group_id=f"{SOURCE}.{self._name}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=int(self._timeout * 1000),
            metadata_max_age_ms=30_000,
            # a user's partitions of all topics go to one member, which hears of his erasure too
            partition_assignment_strategy=(RangePartitionAssignor,),
        )
        assigned = _Assigned(self._pool, self._name, consumer, self._forget_all)
        consumer.subscribe(self._wanted, listener=assigned)
        try:
            await consumer.start()
        except BaseException:
            await _leave(consumer, 1)
            raise
        return consumer

    async def _heard(self, record: Any) -> Heard | None:  # noqa: ANN401 - aiokafka has no types
        try:
            event_id, body = body_of(record.topic, record.value or b"")
        except UNREADABLE as error:
            await self._set_aside(record, error)
            return None
        return Heard(event_id, body, record)

    async def _set_aside(self, record: Any, error: Exception) -> None:  # noqa: ANN401
        EVENTS_SET_ASIDE.labels(self._name).inc()
        origin = f"{record.topic}/{record.partition}"
        payload = (record.value or b"").hex()
        await outbox.set_aside(self._pool, self._name, record.offset, 0, payload, repr(error), origin)

    def _measure(self, consumer: AIOKafkaConsumer, found: Mapping[TopicPartition, Sequence[Any]]) -> None:
        oldest = min((records[0].timestamp for records in found.values()), default=0)
        EVENTS_LAG_SECONDS.labels(self._name).set(max(0.0, time.time() - oldest / 1000) if oldest else 0)
        CONSUMER_LAG.labels(f"{SOURCE}.{self._name}").set(_lag(consumer, found))


_leaving: set["asyncio.Task[None]"] = set()
"""Members that are on their way out of their groups; a loop of events alone would forget their tasks."""


async def _leave(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Leave the group, whoever is impatient meanwhile: cut short, it would never let its connections go.

    What takes longer than so many seconds goes on by itself.
    """
    leaving = asyncio.ensure_future(consumer.stop())
    _leaving.add(leaving)
    leaving.add_done_callback(_leaving.discard)
    deadline = time.monotonic() + seconds
    while not leaving.done() and time.monotonic() < deadline:
        with suppress(asyncio.CancelledError):
            await asyncio.wait({leaving}, timeout=deadline - time.monotonic())
    if leaving.done() and not leaving.cancelled():
        leaving.exception()  # a broker that is away


async def _until_committed(consumer: AIOKafkaConsumer, partition: TopicPartition, end: int) -> None:
    while end and (await consumer.committed(partition) or 0) < end:  # noqa: ASYNC110 - the broker has no event for it
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


async def _rewind(consumer: AIOKafkaConsumer) -> None:
    for partition in consumer.assignment():
        committed = await consumer.committed(partition)
        if committed is None:
            await consumer.seek_to_beginning(partition)
        else:
            consumer.seek(partition, committed)


def _lag(consumer: AIOKafkaConsumer, found: Mapping[TopicPartition, Sequence[Any]]) -> int:
    """Return how many records wait behind those that were found, in the partitions that they came from."""
    ends = {partition: consumer.highwater(partition) or 0 for partition in found}
    return sum(max(0, ends[partition] - records[-1].offset - 1) for partition, records in found.items())


class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """Forgets what was known before partitions came, and notes what they have dropped before the group had heard it.

    Retention of the brokers drops records.
    """

    def __init__(
        self, pool: Pool, name: str, consumer: AIOKafkaConsumer, forget_all: Callable[[], None]
    ) -> None:
        self._pool = pool
        self._name = name
        self._consumer = consumer
        self._forget_all = forget_all

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Nothing: what was not committed another member hears."""

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Forget, and compare what was committed with where the partitions begin now."""
        self._forget_all()
        begins = await self._consumer.beginning_offsets(list(assigned))
        for partition, begin in begins.items():
            committed = await self._consumer.committed(partition)
            if committed is not None and committed < begin:
                await outbox.note_gap(self._pool, self._name)
                return
