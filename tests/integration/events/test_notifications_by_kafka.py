"""Notifications on their topic of a real Kafka, beside a webhook, each of which may be away."""

import asyncio
import signal
from datetime import timedelta

from laurel_server.runtime.config_outside import Events
from tests.integration.events.limits import limit_size
from tests.integration.events.notifying import (
    Hook,
    Notifying,
    dispatch,
    dispatched,
    move_clock,
    mute_all_but_milestones,
)
from tests.integration.events.reading import Reader
from tests.integration.wired import give, until
from tests.kafka import Broker


async def test_with_kafka_notifications_go_to_their_topic(
    notifying: Notifying, broker: Broker, reader: Reader
) -> None:
    async with notifying(events=Events(kafka_bootstrap=broker.bootstrap)) as parts:
        await give(parts, "told", 1000)
        sent = 0

        async def all_are_sent() -> bool:
            nonlocal sent
            sent += (await dispatch(parts))["sent"]
            return sent >= 3

        await until(all_are_sent, "the group has heard of all")
        seen = await reader.until({"notifications.send": 3}, "told")
    (milestone,) = [
        each for each in seen if each.topic == "notifications.send" and each.body.kind == "POINTS_MILESTONE"
    ]
    assert milestone.id == milestone.body.event_id
    assert milestone.body.data == {"points": "1000"}


async def test_what_is_too_large_for_kafka_comes_to_the_webhook_once(
    notifying: Notifying, hook: Hook, own_broker: Broker
) -> None:
    events = Events(kafka_bootstrap=own_broker.bootstrap, consumers="outbox")
    async with notifying(events=events) as parts:
        await mute_all_but_milestones(parts, "ada")
        await limit_size(own_broker, "notifications.send", 100)
        await give(parts, "ada", 1000)
        await dispatched(parts, "given_up")
        await move_clock(parts, timedelta(hours=2))
        assert not any((await dispatch(parts)).values())
        (left,) = await parts.pool.fetch("SELECT error, taken_by FROM notifications")
    assert tuple(left) == ("Kafka: too large", ["webhook"])
    assert hook.kinds("ada") == ["POINTS_MILESTONE"]


async def test_while_kafka_is_away_the_webhook_gets_a_notification_once(
    notifying: Notifying, hook: Hook, own_broker: Broker
) -> None:
    events = Events(kafka_bootstrap=own_broker.bootstrap, consumers="outbox", kafka_timeout_seconds=3)
    async with notifying(events=events) as parts:
        await mute_all_but_milestones(parts, "ada")
        own_broker.signal(signal.SIGKILL)
        await give(parts, "ada", 1000)
        await dispatched(parts, "failed")
        await move_clock(parts, timedelta(minutes=2))
        await dispatched(parts, "failed")
        with own_broker:
            await move_clock(parts, timedelta(minutes=2))
            await dispatched(parts, "sent")
            async with Reader(own_broker.bootstrap) as reader:
                await reader.until({"notifications.send": 1}, "ada")
    assert hook.kinds("ada") == ["POINTS_MILESTONE"]


async def test_a_webhook_that_is_away_keeps_no_notification_from_kafka(
    notifying: Notifying, hook: Hook, broker: Broker, reader: Reader
) -> None:
    hook.status = 503
    async with notifying(events=Events(kafka_bootstrap=broker.bootstrap, consumers="outbox")) as parts:
        await mute_all_but_milestones(parts, "patient")
        await give(parts, "patient", 1000)
        await dispatched(parts, "failed")
        await reader.until({"notifications.send": 1}, "patient")
        hook.status = 200
        await move_clock(parts, timedelta(minutes=2))
        await dispatched(parts, "sent")
        await give(parts, "patient", 4000)
        await dispatched(parts, "sent")
        seen = await reader.until({"notifications.send": 2}, "patient")
    told = [each.body.data["points"] for each in seen if each.topic == "notifications.send"]
    assert told == ["1000", "5000"]
    assert [each["data"]["points"] for each in hook.got] == told


async def test_a_kafka_that_dies_in_the_middle_keeps_no_notification_from_the_webhook(
    notifying: Notifying, hook: Hook, own_broker: Broker
) -> None:
    """Its client, which is connected, would go on trying for as long as the broker is away."""
    events = Events(kafka_bootstrap=own_broker.bootstrap, consumers="outbox", kafka_timeout_seconds=3)
    async with notifying(events=events) as parts:
        await mute_all_but_milestones(parts, "ada")
        await give(parts, "ada", 1000)
        await dispatched(parts, "sent")
        own_broker.signal(signal.SIGKILL)
        await give(parts, "ada", 4000)
        async with asyncio.timeout(60):
            await dispatched(parts, "failed")
        with own_broker:
            await move_clock(parts, timedelta(minutes=2))
            await dispatched(parts, "sent")
            async with Reader(own_broker.bootstrap) as reader:
                await reader.until({"notifications.send": 2}, "ada")
    assert [each["data"]["points"] for each in hook.got] == ["1000", "5000"]
