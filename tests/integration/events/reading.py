"""What another system sees: records of the topics, decoded."""

import asyncio
from collections import Counter
from typing import Any, NamedTuple, Self

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from google.protobuf.message import Message

from laurel.events.v1 import events_pb2, notifications_pb2
from laurel_server.events.topics import TOPICS

SECONDS = 40.0


class Seen(NamedTuple):
    """A record with its headers and its message."""

    topic: str
    key: str
    headers: dict[str, str]
    body: Any

    @property
    def id(self) -> str:
        """The CloudEvents id."""
        return self.headers["ce_id"]


def decoded(record: Any) -> Seen:
    """Return a record as its reader understands it: the message has the topic's name."""
    name = "".join(part.capitalize() for part in record.topic.split("."))
    messages = {**vars(events_pb2), **vars(notifications_pb2)}
    message: Message = messages[name].FromString(record.value)
    headers = {name: value.decode() for name, value in record.headers}
    return Seen(record.topic, record.key.decode(), headers, message)


async def forget_positions(ledger_dsn: str) -> None:
    """Let readers of the outbox begin anew when no server runs, as after the loss of all that they had kept."""
    connection = await asyncpg.connect(ledger_dsn)
    await connection.execute("DELETE FROM event_positions")
    await connection.close()


class Reader:
    """A consumer of all topics that exist, or of one group if it has a name."""

    def __init__(self, bootstrap: str, group: str | None = None) -> None:
        self._consumer = AIOKafkaConsumer(
            *TOPICS,
            bootstrap_servers=bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            metadata_max_age_ms=500,
            retry_backoff_ms=50,
            session_timeout_ms=6000,
            heartbeat_interval_ms=200,
        )
        self.seen: list[Seen] = []

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def read(self, *, commit: bool = False) -> None:
        """Take what is there now."""
        try:
            found = await self._consumer.getmany(timeout_ms=200)
            self.seen += [decoded(record) for records in found.values() for record in records]
            if commit and found:
                await self._consumer.commit()
        except KafkaError:
            await asyncio.sleep(0.1)  # the broker is away, or members of the group change

    async def until(self, wanted: "dict[str, int]", *users: str) -> list[Seen]:
        """Read until there are that many different events by topic of those users, and return all of these users."""
        async with asyncio.timeout(SECONDS):
            while True:
                mine = [each for each in self.seen if each.key in users]
                counts = Counter(topic for topic, _ in {(each.topic, each.id) for each in mine})
                if all(counts[topic] >= number for topic, number in wanted.items()):
                    return mine
                await self.read()
