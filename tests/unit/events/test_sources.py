"""When sources have their consumers forget what they know of users, and who hears of one user."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import pytest
from aiokafka.structs import TopicPartition

from laurel_server.events import kafka_source
from laurel_server.events.kafka import Topics
from laurel_server.events.kafka_source import KafkaSource
from laurel_server.events.outbox_source import OutboxSource
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.pool import Pool

NO_POOL = cast("Pool", None)
WANTED = ("rewards.earned", "user.erased")
PARTITIONS = 3


class Follows(Leadership):
    """Another server leads."""

    def __init__(self) -> None:
        super().__init__("", "tests")

    async def held(self) -> bool:
        """Return that this one does not."""
        return False


class Made(Topics):
    """Topics that are there already."""

    def __init__(self) -> None:
        self.bootstrap = ""

    async def make(self) -> Mapping[str, int]:
        """Make none."""
        return {}


class Member:
    """A member of a group that is given partitions, without any records, when it starts."""

    def __init__(self, *, partition_assignment_strategy: Sequence[Any], **_settings: object) -> None:
        (self.assignor,) = partition_assignment_strategy
        self.assigned: list[TopicPartition] = []

    def subscribe(self, wanted: Iterable[str], listener: Any) -> None:
        """Note who wants to hear of partitions."""
        self.assigned = [TopicPartition(topic, 0) for topic in wanted]
        self._listener = listener

    async def start(self) -> None:
        """Be given partitions."""
        await self._listener.on_partitions_assigned(self.assigned)

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return that nothing was dropped."""
        return dict.fromkeys(partitions, 0)

    async def committed(self, _partition: TopicPartition) -> None:
        """Return that nothing was."""

    async def getmany(self, **_limits: int) -> Mapping[TopicPartition, Sequence[Any]]:
        """Return nothing."""
        return {}


class Cluster:
    """Topics of so many partitions each."""

    def partitions_for_topic(self, _topic: str) -> set[int]:
        """Return their numbers."""
        return set(range(PARTITIONS))


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], Member]:
    """Lets a source join a group, and returns what it is there."""

    def join(forget_all: Callable[[], None]) -> Member:
        members: list[Member] = []

        def made(**settings: Any) -> Member:
            members.append(Member(**settings))
            return members[-1]

        monkeypatch.setattr(kafka_source, "AIOKafkaConsumer", made)
        asyncio.run(KafkaSource(NO_POOL, Made(), "tests", WANTED, 1, forget_all).poll())
        return members[0]

    return join


def test_all_is_forgotten_where_another_server_leads_and_after_failures() -> None:
    forgotten: list[bool] = []
    source = OutboxSource(NO_POOL, Follows(), "tests", 0, 1, lambda: forgotten.append(True))
    assert asyncio.run(source.poll()) is None
    assert len(forgotten) == 1
    asyncio.run(source.start_over())
    assert len(forgotten) == 2


def test_all_is_forgotten_when_partitions_come_to_a_member(
    joined: Callable[[Callable[[], None]], Member],
) -> None:
    forgotten: list[bool] = []
    joined(lambda: forgotten.append(True))
    assert len(forgotten) == 1


def test_one_member_hears_all_of_a_user_from_every_topic(
    joined: Callable[[Callable[[], None]], Member],
) -> None:
    assignor = joined(lambda: None).assignor
    members = {name: assignor.metadata(WANTED) for name in ("one", "two")}
    for assignment in assignor.assign(Cluster(), members).values():
        numbers = [partitions for _, partitions in assignment.assignment]
        assert numbers == [numbers[0]] * len(WANTED)
