"""The producer: topics, idempotence, and what its errors mean."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    NoError,
    TopicAlreadyExistsError,
    for_code,
)

from laurel_server.events.topics import TOPICS, Record
from laurel_server.metrics import EVENTS_PUBLISHED

AWAY: Final = (KafkaError, OSError, TimeoutError)
"""Kafka cannot be reached or did not acknowledge: what was sent may have arrived."""

log = structlog.get_logger()
logging.getLogger("aiokafka").setLevel(
    logging.CRITICAL
)  # it reports each of its own attempts; we report ours


class KafkaProducer:
    """Publishes in order. `timeout` (seconds) bounds the wait for an acknowledgement.

    Connects with the first record and anew after an error, because a producer that gave up on a record may
    keep later ones of the same partition in its queue.
    """

    def __init__(self, bootstrap: str, timeout: float, partitions: int, replication: int) -> None:
        self._bootstrap = bootstrap
        self._timeout_ms = int(timeout * 1000)
        self._partitions = partitions
        self._replication = replication
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def make_topics(self) -> None:
        """Make the topics that are missing. Raises one of AWAY."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=self._timeout_ms)
        try:
            await admin.start()
            missing = sorted(set(TOPICS) - set(await admin.list_topics()))
            if missing:
                topics = [NewTopic(topic, self._partitions, self._replication) for topic in missing]
                _check((await admin.create_topics(topics)).topic_errors)
        finally:
            await admin.close()

    async def publish(self, records: Sequence[Record]) -> list[Record]:
        """Publish all records, each user's in order, and return those that Kafka will never take.

        Raises one of AWAY; then any part of them may have been published, and all must be again.
        """
        async with self._connecting:
            producer = await self._connected()
        try:
            pending = [await _send(producer, record) for record in records]
            answers = await asyncio.gather(*filter(None, pending), return_exceptions=True)
            for answer in answers:
                if isinstance(answer, BaseException) and not isinstance(answer, MessageSizeTooLargeError):
                    raise answer
        except AWAY:
            await self.close()
            raise
        return self._refused(records, pending)

    def _refused(
        self, records: Sequence[Record], pending: Sequence["asyncio.Future[object] | None"]
    ) -> list[Record]:
        refused: list[Record] = []
        for record, future in zip(records, pending, strict=True):
            if future is None or future.exception() is not None:
                refused.append(record)
            else:
                EVENTS_PUBLISHED.labels(record.topic).inc()
        return refused

    async def close(self) -> None:
        """Give the connection up; the next record opens another."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer, self._timeout_ms / 1000)

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            await self.make_topics()
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                client_id="laurel",
                acks="all",
                enable_idempotence=True,
                request_timeout_ms=self._timeout_ms,
                max_batch_size=256 << 10,
                linger_ms=5,
            )
            try:
                await producer.start()
            except BaseException:
                await _stop(producer, 1)
                raise
            self._producer = producer
        return self._producer


async def make_topics_early(producer: KafkaProducer) -> None:
    """Make the topics before the server is ready; a Kafka that is away holds it up for 3 s at most."""
    try:
        async with asyncio.timeout(3):
            await producer.make_topics()
    except AWAY as away:
        log.warning("kafka.away", error=f"{type(away).__name__}: {away}")


def _check(answers: Sequence[tuple[str, int, str | None]]) -> None:
    """Raise what kept a topic from being made, unless another server was faster."""
    for topic, code, text in answers:
        error = for_code(code)
        if error not in {NoError, TopicAlreadyExistsError}:
            raise error(f"{topic}: {text}")


async def _send(producer: AIOKafkaProducer, record: Record) -> "asyncio.Future[object] | None":
    """Return the future acknowledgement; None: the record is larger than the producer may send."""
    try:
        pending: asyncio.Future[object] = await producer.send(
            record.topic, record.payload, key=record.key, headers=list(record.headers)
        )
    except MessageSizeTooLargeError:
        return None
    return pending


async def _stop(producer: AIOKafkaProducer, seconds: float) -> None:
    """Stop a producer, which waits for its queue; a broker that is away must not keep it from ending."""
    stopping = asyncio.ensure_future(producer.stop())
    await asyncio.wait({stopping}, timeout=seconds)
    if not stopping.done():
        stopping.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
