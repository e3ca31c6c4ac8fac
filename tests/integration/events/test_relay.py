"""The relay on a real broker: what it publishes, in which order, and what no trouble takes from it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
from prometheus_client import REGISTRY

from laurel.type.v1.board_pb2 import RankState
from laurel.type.v1.tier_pb2 import Tier
from laurel_server.events.relay import READER
from laurel_server.runtime.wiring import Parts
from tests.integration.events.conftest import Connected
from tests.integration.events.reading import Reader, Seen, forget_positions
from tests.integration.spend import reverse
from tests.integration.wired import ALL, DAY, START, WEEK, command, give, until
from tests.kafka import Broker

EARNED = "rewards.earned"


def by_topic(seen: list[Seen], topic: str) -> list[Seen]:
    return [each for each in seen if each.topic == topic]


def lags(reader: str = READER) -> list[float | None]:
    """Return how far a reader is behind, in seconds and in batches, as the metrics tell it; None: they do not."""
    names = ("laurel_events_lag_seconds", "laurel_events_lag_batches")
    return [REGISTRY.get_sample_value(name, {"reader": reader}) for name in names]


async def is_all_published() -> bool:
    return lags() == [0, 0]


async def is_behind() -> bool:
    return all(lag for lag in lags())


async def test_an_award_is_told_with_its_ranks_and_cloudevents_headers(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        await give(parts, "first-a", 30)
        answer = await give(parts, "first-b", 20)
        seen = await reader.until({EARNED: 1, "leaderboard.updated": 1}, "first-b")
    (earned,) = by_topic(seen, EARNED)
    assert earned.headers["ce_id"] == str(answer.entry.transaction_id) == earned.body.transaction_id
    assert earned.headers["ce_type"] == EARNED
    assert earned.headers["ce_source"] == "laurel"
    assert datetime.fromisoformat(earned.headers["ce_time"]) == START
    assert (earned.body.event_id, earned.body.user_id) == (earned.id, "first-b")
    assert (earned.body.action, earned.body.points, earned.body.total_points) == ("GIVE", 20, 20)
    assert (earned.body.tier, earned.body.rank_state) == (Tier.TIER_BRONZE, RankState.RANK_STATE_FRESH)
    ranks = {(each.board.scope, each.board.period_id): each.rank for each in earned.body.standings}
    assert {("global", DAY): 2, ("global", WEEK): 2, ("global", ALL): 2}.items() <= ranks.items()
    (update,) = by_topic(seen, "leaderboard.updated")
    assert {(each.board.scope, each.board.period_id): each.rank for each in update.body.standings} == ranks


async def test_a_promotion_is_told_beside_the_award(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        answer = await give(parts, "riser", 5000)
        seen = await reader.until({"tier.changed": 1}, "riser")
    (changed,) = by_topic(seen, "tier.changed")
    assert changed.id == f"{answer.entry.transaction_id}.tier"
    assert (changed.body.change.from_tier, changed.body.change.to_tier) == (
        Tier.TIER_BRONZE,
        Tier.TIER_SILVER,
    )


async def test_a_badge_is_told_beside_the_award_that_unlocked_it(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        answer = await give(parts, "badged", 1000)
        seen = await reader.until({"achievements.unlocked": 1}, "badged")
    badges = {each.body.badge.badge_type: each for each in by_topic(seen, "achievements.unlocked")}
    assert badges["POINTS_1K"].id == f"{answer.entry.transaction_id}.POINTS_1K.1"
    assert badges["POINTS_1K"].body.user_id == "badged"


async def test_events_of_a_user_keep_the_order_of_the_ledger(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    users = [f"ordered-{number}" for number in range(5)]
    async with connected(broker) as parts:
        commands = [command(user, points) for points in range(1, 41) for user in users]
        await asyncio.gather(*(parts.awards.award(each, None) for each in commands))
        seen = await reader.until({EARNED: len(commands)}, *users)
    for user in users:
        mine = [each.body for each in by_topic(seen, EARNED) if each.key == user]
        totals = [body.total_points for body in mine]
        assert totals == sorted(totals)
        assert totals[-1] == sum(range(1, 41))
        assert [body.transaction_id for body in mine] == sorted(body.transaction_id for body in mine)


async def test_board_updates_are_conflated(connected: Connected, broker: Broker, reader: Reader) -> None:
    async with connected(broker) as parts:
        await parts.awards.award_batch([command("busy", 1) for _ in range(50)], None)
        seen = await reader.until({EARNED: 50, "leaderboard.updated": 1}, "busy")
    updates = by_topic(seen, "leaderboard.updated")
    assert len(updates) == 1
    assert {each.score for each in updates[0].body.standings} == {50}


async def test_a_broker_that_dies_costs_awards_nothing_and_gets_all_of_them_later(
    connected: Connected, own_broker: Broker
) -> None:
    users = [f"patient-{number}" for number in range(4)]
    async with connected(own_broker) as parts:
        for user in users:
            await give(parts, user, 1)
        async with Reader(own_broker.bootstrap) as reader:
            await reader.until({EARNED: 4}, *users)
        await until(is_all_published, "nothing is left to be published", seconds=40)
        own_broker.signal(signal.SIGKILL)
        for points in range(2, 8):
            answers = await parts.awards.award_batch([command(user, points) for user in users], None)
            assert not [answer for answer in answers if isinstance(answer, Exception)]
        await until(is_behind, "what waits for the broker is measured", seconds=40)
        with own_broker:
            async with Reader(own_broker.bootstrap) as reader:
                seen = await reader.until({EARNED: 4 * 7}, *users)
            await until(is_all_published, "the relay has caught up", seconds=40)
    for user in users:
        told = list(dict.fromkeys(each.body.points for each in by_topic(seen, EARNED) if each.key == user))
        assert told == list(range(1, 8))


@asynccontextmanager
async def leading_elsewhere(dsn: str) -> AsyncIterator[Callable[[], Coroutine[Any, Any, None]]]:
    """Give what waits for the lead and then keeps it, as another server would."""
    connection = await asyncpg.connect(dsn)

    async def lead() -> None:
        await connection.execute("SELECT pg_advisory_lock(hashtext('laurel events'))")

    try:
        yield lead
    finally:
        await connection.close()


async def lose_the_lead(parts: Parts) -> None:
    """Break the connection by which this server leads."""
    await parts.pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'laurel events'"
    )


async def test_who_leads_no_longer_does_not_tell_how_far_others_are(
    connected: Connected, own_broker: Broker, ledger_dsn: str
) -> None:
    readers = (READER, "badges", "notifications")

    async def all_measured() -> bool:
        return all(None not in lags(reader) for reader in readers)

    async def none_measured() -> bool:
        return all(lags(reader) == [None, None] for reader in readers)

    async with connected(own_broker, consumers="outbox") as parts, leading_elsewhere(ledger_dsn) as elsewhere:
        await give(parts, "measured", 1)
        await until(all_measured, "the leader measures all that it reads")
        own_broker.signal(signal.SIGKILL)
        await give(parts, "measured", 2)
        await until(is_behind, "the relay is behind")
        other_leads = asyncio.create_task(elsewhere())
        await lose_the_lead(parts)
        await other_leads
        await until(none_measured, "a server that stands by measures none of it")


async def test_what_is_sent_again_has_the_same_ids(
    connected: Connected, broker: Broker, reader: Reader, ledger_dsn: str
) -> None:
    def told() -> list[str]:
        return [each.id for each in reader.seen if each.key == "again" and each.topic == EARNED]

    async def reads(wanted: Callable[[list[str]], bool]) -> bool:
        await reader.read()
        return wanted(told())

    async with connected(broker) as parts:
        for points in (1, 2, 3):
            await give(parts, "again", points)
        await until(lambda: reads(lambda ids: len(set(ids)) == 3), "all three are there", seconds=40)
    ids, before = list(dict.fromkeys(told())), len(told())
    await forget_positions(ledger_dsn)
    async with connected(broker):
        await until(
            lambda: reads(lambda all_ids: list(dict.fromkeys(all_ids[before:])) == ids),
            "all three are there again, in order",
            seconds=40,
        )
    assert set(told()) == set(ids)


async def test_two_consumers_of_a_group_share_the_users(connected: Connected, broker: Broker) -> None:
    users = [f"shared-{number}" for number in range(40)]
    async with (
        connected(broker) as parts,
        Reader(broker.bootstrap, "pair") as one,
        Reader(broker.bootstrap, "pair") as two,
    ):
        await parts.awards.award_batch([command(user, 5) for user in users], None)

        async def all_of_them() -> bool:
            await asyncio.gather(one.read(commit=True), two.read(commit=True))
            return {each.key for each in (*one.seen, *two.seen) if each.topic == EARNED} >= set(users)

        await until(all_of_them, "both together see every user", seconds=60)

        async def both_read() -> bool:
            await parts.awards.award_batch([command(user, 5) for user in users], None)
            one.seen.clear()
            two.seen.clear()
            await all_of_them()
            return bool(one.seen and two.seen)

        await until(both_read, "each of the two gets some", seconds=60)
        assert not {each.key for each in one.seen} & {each.key for each in two.seen}


async def test_a_poisoned_row_is_set_aside_and_the_next_go_on(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        await give(parts, "healthy", 1)
        await reader.until({EARNED: 1}, "healthy")
        for events in (
            '{"type": "rewards.earned"}',
            '[{"type": "rewards.earned", "user_id": "lost"}]',
            "[7]",
        ):
            await parts.pool.execute(
                "INSERT INTO outbox (batch_no, projected, user_nos, events) "
                "VALUES (nextval('ledger_batch_seq'), true, '{}', $1)",
                events,
            )
        await give(parts, "healthy", 2)
        await reader.until({EARNED: 2}, "healthy")
        rows = await parts.pool.fetch("SELECT place, event FROM events_set_aside ORDER BY batch_no")
    assert [row["place"] for row in rows] == [-1, 0, -1]
    assert "lost" in rows[1]["event"]


async def test_events_wait_for_boards_that_are_being_filled(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker, ranks_patience_seconds=60) as parts:
        await give(parts, "waiting", 1)
        await reader.until({EARNED: 1}, "waiting")
        await parts.redis.call("FLUSHALL")
        await give(parts, "waiting", 2)
        seen = await reader.until({EARNED: 2}, "waiting")
    assert {each.body.rank_state for each in by_topic(seen, EARNED)} == {RankState.RANK_STATE_FRESH}


async def test_what_the_boards_do_not_follow_in_time_goes_out_pending(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker, ranks_patience_seconds=0) as parts:
        await give(parts, "unranked", 1)
        await reader.until({EARNED: 1}, "unranked")
        await parts.pool.execute(  # as a server that died after COMMIT leaves it; repair comes a second later
            "INSERT INTO outbox (batch_no, projected, user_nos, events)"
            " SELECT nextval('ledger_batch_seq'), false, user_nos, events FROM outbox"
        )

        async def pending() -> bool:
            await reader.read()
            told = [each.body for each in reader.seen if each.key == "unranked" and each.topic == EARNED]
            return any(
                body.rank_state == RankState.RANK_STATE_PENDING and not body.standings for body in told
            )

        await until(pending, "it is told without ranks", seconds=40)


async def test_another_server_goes_on_where_the_leader_has_ended(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as second:
        async with connected(broker) as first:
            await give(first, "handed", 1)
            await reader.until({EARNED: 1}, "handed")
        for points in (2, 3, 4):
            await give(second, "handed", points)
        seen = await reader.until({EARNED: 4}, "handed")
    told = [each.body.points for each in by_topic(seen, EARNED)]
    assert list(dict.fromkeys(told)) == [1, 2, 3, 4]


async def test_a_reversal_tells_where_the_user_stands_now(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        answer = await give(parts, "reversed", 100)
        await reader.until({"rewards.earned": 1, "leaderboard.updated": 1}, "reversed")
        await reverse(parts, answer.entry.transaction_id)
        seen = await reader.until({"rewards.changed": 1, "leaderboard.updated": 2}, "reversed")
    (changed,) = [each for each in seen if each.topic == "rewards.changed"]
    assert (changed.body.action, changed.body.points) == ("REVERSAL", -100)
    assert changed.body.reverses_transaction_id == str(answer.entry.transaction_id)
    last = [each for each in seen if each.topic == "leaderboard.updated"][-1]
    assert not last.body.standings, "he is off the boards"
