"""The consumers that Laurel ships, on the outbox and as groups of a real Kafka: what they do is the same."""

import asyncio
import signal

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from laurel.events.v1.events_pb2 import RewardsEarned
from laurel.type.v1.tier_pb2 import Tier
from laurel_server.domain.people import Order
from laurel_server.runtime.config_outside import Events
from laurel_server.runtime.wiring import Parts
from tests.integration.events.conftest import Connected
from tests.integration.events.reading import forget_positions
from tests.integration.wired import give, run_job, running, until
from tests.kafka import Broker

GROUPS = {"laurel.badges", "laurel.notifications"}

NUL = RewardsEarned(
    event_id="1", user_id="nul\0", tier=Tier.TIER_GOLD, points=5000, lifetime_points=5000
).SerializeToString()
"""Of a user who cannot be in the ledger, and cannot even be asked for there."""


async def kinds_kept(parts: Parts, user_id: str) -> set[str]:
    """Return the kinds of all notifications of a user, sent or not."""
    rows = await parts.pool.fetch("SELECT kind FROM notifications WHERE user_id = $1", user_id)
    return {row["kind"] for row in rows}


async def notification_ids(parts: Parts, user_id: str) -> set[str]:
    rows = await parts.pool.fetch("SELECT notification_id FROM notifications WHERE user_id = $1", user_id)
    return {row["notification_id"] for row in rows}


async def has_badge(parts: Parts, user_id: str, badge_type: str) -> bool:
    return badge_type in {badge.badge_type for badge, _ in await parts.badges.of(user_id)}


TOLD = {"POINTS_MILESTONE", "TIER_CHANGED", "BADGE_UNLOCKED", "RANK_MILESTONE"}


async def rises(parts: Parts, user_id: str) -> None:
    """Award so much that all consumers have something to do, and wait until they have done it."""
    await give(parts, user_id, 5000)

    async def honoured() -> bool:
        return await has_badge(parts, user_id, "TOP_100") and await kinds_kept(parts, user_id) >= TOLD

    await until(honoured, f"{user_id} has a badge by rank and is told of all", seconds=120)


async def reading(parts: Parts, *readers: str) -> bool:
    """Return whether these are the readers of the outbox."""
    rows = await parts.pool.fetch("SELECT reader FROM event_positions")
    return {row["reader"] for row in rows} == set(readers)


async def committed(broker: Broker, group: str) -> int:
    """Return how many records a group has committed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        return sum(each.offset for each in (await admin.list_consumer_group_offsets(group)).values())
    except GroupCoordinatorNotAvailableError:  # nobody has ever made a group
        return 0
    finally:
        await admin.close()


async def test_on_the_outbox(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, events=Events(interval_ms=20)) as parts:
        await rises(parts, "on-outbox")
        await until(lambda: reading(parts, "badges", "notifications"), "both keep a position")


async def test_who_comes_under_the_id_of_an_erased_user_gets_all_anew(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url, events=Events(interval_ms=20)) as parts:
        await rises(parts, "phoenix")
        await parts.people.erase(Order("phoenix", "erase-1", b"e" * 16, b"h" * 16, "tests"))
        await run_job(parts, "dispatch_notifications")  # which waits until it is heard
        await rises(parts, "phoenix")


async def test_as_groups_of_kafka(connected: Connected, broker: Broker) -> None:
    before = {group: await committed(broker, group) for group in GROUPS}
    async with connected(broker) as parts:
        await rises(parts, "by-groups")

        async def all_committed() -> bool:
            return all([await committed(broker, group) > before[group] for group in GROUPS])

        await until(all_committed, "both groups commit")
        assert await reading(parts, "kafka"), "only the relay reads the outbox"


async def test_with_kafka_they_may_stay_on_the_outbox(connected: Connected, broker: Broker) -> None:
    async with connected(broker, consumers="outbox") as parts:
        await rises(parts, "stays")
        await until(lambda: reading(parts, "badges", "kafka", "notifications"), "all keep a position")


async def test_what_is_heard_again_does_nothing_more_from_either_source(
    ledger_dsn: str, redis_url: str, broker: Broker
) -> None:
    kafka = Events(kafka_bootstrap=broker.bootstrap, interval_ms=20)
    async with running(ledger_dsn, redis_url, events=kafka) as parts:
        await rises(parts, "again")
        await run_job(parts, "dispatch_notifications")  # which waits until all is heard
        ids = await notification_ids(parts, "again")
    await forget_positions(ledger_dsn)
    async with running(ledger_dsn, redis_url, events=kafka) as parts:  # publishes all of it again
        await rises(parts, "next")
        assert await notification_ids(parts, "again") == ids
    async with running(ledger_dsn, redis_url, events=Events()) as parts:
        await rises(parts, "last")
        assert await notification_ids(parts, "again") == ids, "the outbox has it under the same ids"


async def test_the_servers_of_a_group_share_it_and_one_goes_on_alone(
    connected: Connected, broker: Broker
) -> None:
    async with connected(broker) as second:
        async with connected(broker) as first:
            await asyncio.gather(*(rises(first, f"both-{number}") for number in range(8)))
        await asyncio.gather(*(rises(second, f"alone-{number}") for number in range(8)))


async def test_a_poisoned_record_is_set_aside_and_the_next_go_on(
    connected: Connected, own_broker: Broker
) -> None:
    async with connected(own_broker) as parts:
        await rises(parts, "before-poison")
        async with AIOKafkaProducer(bootstrap_servers=own_broker.bootstrap) as producer:
            for topic in ("rewards.earned", "leaderboard.updated"):
                for payload in (b"\xff\xff", b"", NUL):
                    await producer.send_and_wait(topic, payload, key=b"after-poison")
        await rises(parts, "after-poison")
        rows = await parts.pool.fetch("SELECT reader, origin, event FROM events_set_aside")
    found = {(row["reader"], row["origin"].partition("/")[0], row["event"]) for row in rows}
    assert {("notifications", "rewards.earned", "ffff"), ("badges", "leaderboard.updated", "ffff")} <= found
    assert {("notifications", "rewards.earned", payload.hex()) for payload in (b"", NUL)} <= found


async def test_a_broker_that_dies_is_heard_again_when_it_is_back(
    connected: Connected, own_broker: Broker
) -> None:
    async with connected(own_broker) as parts:
        await rises(parts, "before")
        own_broker.signal(signal.SIGKILL)
        await give(parts, "during", 5000)
        with own_broker:
            await rises(parts, "during")
            await rises(parts, "after")


async def test_a_server_may_run_no_consumer(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, events=Events(consumers="off")) as parts:
        await give(parts, "quiet", 5000)
        assert (await run_job(parts, "dispatch_notifications"))["sent"] == 0
        assert await parts.pool.fetchval("SELECT count(*) FROM event_positions") == 0


def test_groups_need_a_kafka() -> None:
    with pytest.raises(ValueError, match="LAUREL_KAFKA_BOOTSTRAP"):
        Events(consumers="kafka")
