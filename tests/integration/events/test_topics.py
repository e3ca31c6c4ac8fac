"""Records of what jobs and operators do: one topic each, on a real broker, with the message of the topic."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.type.v1.board_pb2 import BoardRef, Period
from laurel_server.domain.people import Order
from laurel_server.events.topics import LEADERBOARD_UPDATED, NOTIFICATIONS_SEND, PERIOD_CLOSED, TOPICS
from tests.integration.events.conftest import Connected
from tests.integration.events.reading import Reader, Seen
from tests.integration.leaderboards.scoring import board, report
from tests.integration.spend import adjust
from tests.integration.wired import DAY, DAY_CLOSES, START, give, run_job, until
from tests.kafka import Broker

DAILY = BoardRef(scope="global", period=Period.PERIOD_DAILY, period_id=DAY)


def the_one(seen: list[Seen], topic: str) -> Seen:
    """Return the only event of a topic, which may have been published again."""
    found = {each.id: each for each in seen if each.topic == topic}
    (only,) = found.values()
    return only


def moment_of(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)


def check_headers(record: Seen, time: datetime) -> None:
    """Compare with what CloudEvents wants of every record."""
    stamp = record.headers.pop("ce_time")
    assert datetime.fromisoformat(stamp) == time
    assert record.headers == {
        "ce_specversion": "1.0",
        "ce_id": record.body.event_id,
        "ce_type": record.topic,
        "ce_source": "laurel",
        "content-type": "application/protobuf",
    }
    assert record.body.event_id


async def test_a_day_that_is_closed_and_its_winner(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    instance = f"global/{DAY}"
    async with connected(broker) as parts:
        await give(parts, "day-winner", 30)
        assert parts.clock is not None
        await parts.clock.set(DAY_CLOSES)
        await run_job(parts, "close_periods")
        seen = await reader.until({"period.closed": 1, "period.won": 1}, instance, "day-winner")
        prize = await parts.pool.fetchval(
            "SELECT transaction_id::text FROM reward_transactions WHERE action = 'DAILY_WINNER'"
        )
    closed = the_one(seen, "period.closed")
    check_headers(closed, DAY_CLOSES)
    assert closed.key == instance
    assert (closed.body.board, moment_of(closed.body.closed_at)) == (DAILY, DAY_CLOSES)
    won = the_one(seen, "period.won")
    check_headers(won, DAY_CLOSES)
    assert won.key == won.body.user_id == "day-winner"
    assert (won.body.board, moment_of(won.body.closed_at)) == (DAILY, DAY_CLOSES)
    assert (won.body.rank, won.body.score, won.body.bonus_points) == (1, 30, 100)
    assert (won.id, won.body.transaction_id) == (f"{prize}.won", prize)


async def test_points_that_expire_soon(connected: Connected, broker: Broker, reader: Reader) -> None:
    expiry = START + timedelta(days=5)
    async with connected(broker) as parts:
        await adjust(parts, "warned", 70, expires_at=expiry)
        await adjust(parts, "warned", 5, expires_at=expiry + timedelta(days=365))
        await run_job(parts, "expire_points")
        seen = await reader.until({"points.expiring": 1}, "warned")
    expiring = the_one(seen, "points.expiring")
    check_headers(expiring, START)
    assert expiring.key == expiring.body.user_id == "warned"
    assert (expiring.body.points, expiring.body.days_before) == (70, 7)
    assert moment_of(expiring.body.expires_at) == expiry
    assert moment_of(expiring.body.recorded_at) == START


async def test_a_user_who_was_erased(connected: Connected, broker: Broker, reader: Reader) -> None:
    async with connected(broker) as parts:
        await give(parts, "leaver", 30)
        await parts.people.erase(Order("leaver", "erase-1", b"e" * 16, b"h" * 16, "tests"))
        seen = await reader.until({"user.erased": 1}, "leaver")
    erased = the_one(seen, "user.erased")
    check_headers(erased, START)
    assert erased.key == erased.body.user_id == "leaver"
    assert moment_of(erased.body.erased_at) == START


async def test_no_two_events_of_any_topics_share_an_id(connected: Connected, own_broker: Broker) -> None:
    async with connected(own_broker) as parts, Reader(own_broker.bootstrap) as reader:
        assert parts.clock is not None
        await adjust(parts, "unique", 70, expires_at=START + timedelta(days=5))
        await run_job(parts, "expire_points")
        await give(parts, "unique", 5000)
        await board(parts, reset_cron="0 0 * * *")
        await report(parts, "unique", 3)
        await parts.clock.set(DAY_CLOSES)
        await run_job(parts, "close_periods")
        await give(parts, "gone", 1)
        await parts.people.erase(Order("gone", "erase-2", b"f" * 16, b"h" * 16, "tests"))
        kinds = {
            "TIER_CHANGED",
            "BADGE_UNLOCKED",
            "POINTS_MILESTONE",
            "RANK_MILESTONE",
            "PERIOD_WON",
            "POINTS_EXPIRING",
        }

        async def all_told() -> bool:
            await run_job(parts, "dispatch_notifications")
            await reader.read()
            told = {each.body.kind for each in reader.seen if each.topic == NOTIFICATIONS_SEND}
            boards = {each.body.board.scope for each in reader.seen if each.topic == LEADERBOARD_UPDATED}
            return told >= kinds and "race" in boards and {each.topic for each in reader.seen} == set(TOPICS)

        await until(all_told, "there is something in every topic", seconds=90)
        rows = await parts.pool.fetch("SELECT user_no, user_id, erased_at FROM users")
        numbers = {"gone" if row["erased_at"] else row["user_id"]: row["user_no"] for row in rows}
    numbered = [each for each in reader.seen if hasattr(each.body, "user_number")]
    unnumbered = {LEADERBOARD_UPDATED, PERIOD_CLOSED, NOTIFICATIONS_SEND}
    assert {each.topic for each in numbered} == {*TOPICS} - unnumbered
    assert [each for each in numbered if each.body.user_number != numbers[each.body.user_id]] == []
    told_of = defaultdict(set)
    for each in reader.seen:
        told_of[each.id].add((each.topic, each.key))
    assert {name: told for name, told in told_of.items() if len(told) > 1} == {}
