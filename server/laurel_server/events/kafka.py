"""Topics, the producer that fills them, and what the errors of Kafka mean."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    NoError,
    RecordListTooLargeError,
    TopicAlreadyExistsError,
    for_code,
)
from aiokafka.partitioner import murmur2

from laurel_server.events.batches import BATCH_BYTES, Batch, BatchSizes, batches
from laurel_server.events.topics import TOPICS, Record
from laurel_server.metrics import EVENTS_PUBLISHED

AWAY: Final = (KafkaError, OSError, TimeoutError)
"""Kafka cannot be reached or did not acknowledge: what was sent may have arrived."""

Lane: TypeAlias = tuple[str, int]
"""A topic and one of its partitions."""


class Stopped(NamedTuple):
    """Where publishing to a partition ended early: at a batch that was too large, with what comes after it."""

    batch: Batch
    after: Batch


_TOO_LARGE: Final = (MessageSizeTooLargeError, RecordListTooLargeError)
_SIZE: Final = "max.message.bytes"
"""The setting of a topic, or else of its broker, that bounds a batch."""

log = structlog.get_logger()
logging.getLogger("aiokafka").setLevel(
    logging.CRITICAL
)  # it reports each of its own attempts; we report ours


class Topics:
    """The topics of one cluster. `timeout` (seconds) bounds the wait for an answer."""

    def __init__(self, bootstrap: str, timeout: float, partitions: int, replication: int) -> None:
        self.bootstrap = bootstrap
        self._timeout_ms = int(timeout * 1000)
        self._partitions = partitions
        self._replication = replication

    async def make(self) -> Mapping[str, int]:
        """Make the topics that are missing, and return how many bytes a batch of each may have.

        Nothing is in it from a Kafka that does not tell. Raises one of AWAY.
        """
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=self._timeout_ms)
        try:
            await admin.start()
            missing = sorted(set(TOPICS) - set(await admin.list_topics()))
            if missing:
                topics = [NewTopic(topic, self._partitions, self._replication) for topic in missing]
                _check((await admin.create_topics(topics)).topic_errors)
            return await _limits(admin)
        finally:
            await admin.close()


class KafkaProducer:
    """Publishes in order. `timeout` (seconds) bounds the wait for an answer.

    What was sent it numbers, and sends again for as long as the broker is away, so that it is written once. Whoever
    cannot wait so long cancels it, and closes it: connected anew, it does not go on with what it has in its queue.

    Connects with the first record and anew after an error, because a producer that gave up on a record may
    keep later ones of the same partition in its queue.
    """

    def __init__(self, topics: Topics, timeout: float) -> None:
        self._topics = topics
        self._timeout_ms = int(timeout * 1000)
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._sizes = BatchSizes()

    async def publish(self, records: Sequence[Record]) -> list[Record]:
        """Publish all records, each user's in order, and return those that Kafka will never take.

        Raises one of AWAY; then any part of them may have been published, and all must be again.
        """
        refused: list[Record] = []
        try:
            lanes = await _lanes(await self._connected(), records)
            while lanes:
                stopped = await self._send_all(await self._connected(), lanes)
                if stopped:  # the broker misses the numbers of what it refused: go on with another producer
                    await self.close()
                lanes = {lane: left for lane, each in stopped.items() if (left := self._left(each, refused))}
        except AWAY:
            await self.close()
            raise
        _count(records, refused)
        return refused

    async def _send_all(self, producer: AIOKafkaProducer, lanes: Mapping[Lane, Batch]) -> dict[Lane, Stopped]:
        """Publish the records of all partitions, and return where that ended early. Raises one of AWAY."""
        sending = (
            _send(producer, lane, list(batches(records, self._sizes.of(lane[0]))))
            for lane, records in lanes.items()
        )
        answers = await asyncio.gather(*sending, return_exceptions=True)
        return {lane: each for lane, each in zip(lanes, map(_unfailed, answers), strict=True) if each}

    def _left(self, stopped: Stopped, refused: list[Record]) -> Batch:
        """Return what is left to be sent, in smaller batches; a record alone is added to those that are refused."""
        if len(stopped.batch) == 1:
            refused += stopped.batch
            return stopped.after
        self._sizes.refused(stopped.batch)
        return [*stopped.batch, *stopped.after]

    async def close(self) -> None:
        """Give the connection up; the next record opens another."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop(producer, self._timeout_ms / 1000)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                self._sizes.tell(await self._topics.make())
                self._producer = await self._started()
            return self._producer

    async def _started(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._topics.bootstrap,
            client_id="laurel",
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=self._timeout_ms,
            max_batch_size=BATCH_BYTES,
        )
        try:
            await producer.start()
        except BaseException:
            await stop(producer, 1)
            raise
        return producer


async def make_topics_early(topics: Topics) -> None:
    """Make the topics before the server is ready; a Kafka that is away holds it up for 3 s at most."""
    try:
        async with asyncio.timeout(3):
            await topics.make()
    except AWAY as away:
        log.warning("kafka.away", error=f"{type(away).__name__}: {away}")


def _check(answers: Sequence[tuple[str, int, str | None]]) -> None:
    """Raise what kept a topic from being made, unless another server was faster."""
    for topic, code, text in answers:
        error = for_code(code)
        if error not in {NoError, TopicAlreadyExistsError}:
            raise error(f"{topic}: {text}")


async def _limits(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """Return how many bytes a batch of each topic may have, as far as Kafka tells."""
    wanted = [ConfigResource(ConfigResourceType.TOPIC, topic, {_SIZE: None}) for topic in TOPICS]
    try:
        answers = await admin.describe_configs(wanted)
    except KafkaError:
        return {}
    return {
        topic: int(value)
        for answer in answers
        for _, _, _, topic, configs in answer.resources
        for name, value, *_ in configs or ()
        if name == _SIZE and value
    }


async def _lanes(producer: AIOKafkaProducer, records: Sequence[Record]) -> dict[Lane, Batch]:
    """Return the records by where they go, in their order."""
    partitions = {topic: sorted(await producer.partitions_for(topic)) for topic in TOPICS}
    lanes: dict[Lane, list[Record]] = {}
    for record in records:
        among = partitions[record.topic]
        lane = record.topic, among[_hash_of(record.subject) % len(among)]
        if lane in lanes:
            lanes[lane].append(record)
        else:
            lanes[lane] = [record]
    return dict(lanes)


@lru_cache(maxsize=100_000)
def _hash_of(subject: str) -> int:
    """Return what chooses the partition of a key, as in every client of Kafka."""
    hashed: int = murmur2(subject.encode())
    return hashed & 0x7FFFFFFF


def _unfailed(answer: Stopped | BaseException | None) -> Stopped | None:
    if isinstance(answer, BaseException):
        raise answer
    return answer


async def _send(producer: AIOKafkaProducer, lane: Lane, parts: Sequence[Batch]) -> Stopped | None:
    """Publish the batches of a partition in order, up to one that is too large. Raises one of AWAY.

    Batches of our own cost half of what single records cost.
    """
    topic, partition = lane
    for number, records in enumerate(parts):
        batch = producer.create_batch()
        taken = [
            batch.append(key=record.key, value=record.payload, timestamp=None, headers=record.headers)
            for record in records
        ]
        try:
            if None in taken:  # more than we reckoned: what was not taken would never be sent
                raise MessageSizeTooLargeError
            await (await producer.send_batch(batch, topic, partition=partition))
        except _TOO_LARGE:
            return Stopped(records, list(chain.from_iterable(parts[number + 1 :])))
    return None


def _count(records: Sequence[Record], refused: Sequence[Record]) -> None:
    published = Counter(record.topic for record in records)
    published.subtract(record.topic for record in refused)
    for topic, number in published.items():
        EVENTS_PUBLISHED.labels(topic).inc(number)


async def stop(client: AIOKafkaProducer | AIOKafkaConsumer, seconds: float) -> None:
    """Stop a client, which waits for its queue; a broker that is away must not keep it from ending."""
    stopping = asyncio.ensure_future(client.stop())
    await asyncio.wait({stopping}, timeout=seconds)
    if not stopping.done():
        stopping.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
