"""The producer as a real broker knows it: what it has written to its log, and what it refuses to."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from laurel_server.domain.badges import BadgeDefinition
from laurel_server.events import kafka
from laurel_server.runtime.wiring import Parts
from tests.integration.events.conftest import Connected
from tests.integration.events.limits import limit_size
from tests.integration.events.reading import Reader
from tests.integration.wired import command, gift, give, until
from tests.kafka import Broker

EARNED, UNLOCKED = "rewards.earned", "achievements.unlocked"
SMALL, LARGE = "GIVE", "GIVE_" + "A" * 59


async def both_aside(parts: Parts) -> bool:
    rows = await parts.pool.fetch("SELECT reader, origin, place, error FROM events_set_aside ORDER BY place")
    aside = [("kafka", "outbox", place, "rewards.earned: too large for Kafka") for place in (1, 4)]
    return [tuple(row) for row in rows] == aside


async def badges_aside(parts: Parts) -> list[str]:
    """Return the badges whose events are set aside."""
    rows = await parts.pool.fetch("SELECT event::jsonb ->> 'badge_type', error FROM events_set_aside")
    assert {error for _, error in rows} <= {f"{UNLOCKED}: too large for Kafka"}
    return sorted(badge for badge, _ in rows)


async def test_what_is_sent_again_by_the_client_is_written_once(
    connected: Connected, own_broker: Broker
) -> None:
    """Kafka drops what comes again by the number of its producer and its place in the order of that."""
    async with connected(own_broker) as parts, Reader(own_broker.bootstrap) as reader:
        for points in range(1, 6):
            await give(parts, "numbered", points)
            await reader.until({EARNED: points}, "numbered")
    batches = own_broker.batches(EARNED)
    assert len(batches) == 5
    assert {batch.producer_id for batch in batches} == {batches[0].producer_id}
    assert batches[0].producer_id >= 0, "a producer without idempotence has -1"
    assert batches[0].producer_epoch >= 0
    assert [batch.base_sequence for batch in batches] == [0, 1, 2, 3, 4]


async def test_an_event_too_large_for_kafka_is_set_aside_and_those_around_it_go_on(
    connected: Connected, own_broker: Broker
) -> None:
    actions = [SMALL, LARGE, SMALL, SMALL, LARGE, SMALL]
    async with connected(own_broker) as parts, Reader(own_broker.bootstrap) as reader:
        await parts.rule_book.put_action(gift(LARGE), "tests")
        await give(parts, "sized", 1)
        await reader.until({EARNED: 1}, "sized")
        (batch,) = own_broker.batches(EARNED)
        await limit_size(own_broker, EARNED, batch.size + 30)
        await parts.awards.award_batch(
            [command("sized", points, action=action) for points, action in enumerate(actions, start=2)], None
        )
        await give(parts, "sized", 100)
        seen = await reader.until({EARNED: 6}, "sized")
        await until(lambda: both_aside(parts), "both large ones are set aside", seconds=40)
    told = [each.body.points for each in seen if each.topic == EARNED]
    assert told == [1, 2, 4, 5, 7, 100]


async def test_of_badges_of_one_award_that_which_is_too_large_is_set_aside(
    connected: Connected, own_broker: Broker
) -> None:
    badges = ("B_SMALL", "M_" + "A" * 62, "Z_SMALL")
    running = connected(own_broker, consumers="off")  # they would give badges by rank
    async with running as parts, Reader(own_broker.bootstrap) as reader:
        await give(parts, "early", 1)
        await reader.until({UNLOCKED: 1}, "early")
        (early,) = own_broker.batches(UNLOCKED)
        await limit_size(own_broker, UNLOCKED, early.size + 30)
        for badge in badges:
            await parts.rule_book.put_badge(BadgeDefinition(badge, rule="points >= 50"), "tests")
        await give(parts, "early", 50)
        seen = await reader.until({UNLOCKED: 3}, "early")

        async def is_set_aside() -> bool:
            return await badges_aside(parts) == ["M_" + "A" * 62]

        await until(is_set_aside, "the badge with the long name is set aside", seconds=40)
    told = {each.body.badge.badge_type for each in seen if each.topic == UNLOCKED}
    assert told == {"EARLY_ADOPTER", "B_SMALL", "Z_SMALL"}


@pytest.mark.parametrize("tells", [True, False])
async def test_batches_are_as_large_as_the_broker_takes(
    connected: Connected, own_broker: Broker, monkeypatch: pytest.MonkeyPatch, *, tells: bool
) -> None:
    async def tell_nothing(_: AIOKafkaAdminClient) -> dict[str, int]:
        return {}

    if not tells:
        monkeypatch.setattr(kafka, "_limits", tell_nothing)
    async with (
        connected(own_broker, consumers="off") as parts,
        Reader(own_broker.bootstrap) as reader,
    ):
        await give(parts, "many", 1)
        await reader.until({EARNED: 1}, "many")
        await limit_size(own_broker, EARNED, 20_000)
        await parts.awards.award_batch([command("many", 1) for _ in range(500)], None)
        await reader.until({EARNED: 501}, "many")
        await parts.awards.award_batch([command("many", 1) for _ in range(500)], None)
        seen = await reader.until({EARNED: 1001}, "many")
    totals = [each.body.total_points for each in seen if each.topic == EARNED]
    assert totals == list(range(1, 1002)), "each once, in order"
    batches = own_broker.batches(EARNED)
    assert max(batch.size for batch in batches) <= 20_000
    assert len(batches) < 150
    assert len({batch.producer_id for batch in batches}) <= (2 if tells else 6)
    half = batches[len(batches) // 2 :]
    assert len({batch.producer_id for batch in half}) == 1, "nothing is found by trial any more"
