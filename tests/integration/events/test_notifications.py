"""From what happens to what arrives: the job, preferences, the webhook, and its failures."""

import hmac
import json
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import time, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from laurel_server.domain.boards import WinnerBonus
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.ledger import User
from laurel_server.domain.notifications import Kind, Preferences
from laurel_server.domain.people import Order
from laurel_server.postgres import notifications
from laurel_server.runtime.config_outside import Events, Notifications
from laurel_server.runtime.wiring import Parts
from tests.integration.events.limits import limit_size
from tests.integration.events.reading import Reader
from tests.integration.leaderboards.scoring import board, report
from tests.integration.wired import DAY, DAY_CLOSES, START, give, run_job, running, until
from tests.kafka import Broker

SECRET = "webhook secret"


class Hook:
    """A webhook that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.status == 200:
                    hook.got.append(json.loads(body))
                    hook.headers.append(dict(self.headers))
                    hook.bodies.append(body)
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def kinds(self, user_id: str) -> list[str]:
        return [each["kind"] for each in self.got if each["user_id"] == user_id]


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.server.shutdown()
    hook.server.server_close()


Notifying = Callable[..., AbstractAsyncContextManager[Parts]]


@pytest.fixture
def notifying(ledger_dsn: str, redis_url: str, hook: Hook) -> Notifying:
    """Runs a server that posts to the hook."""

    @asynccontextmanager
    async def run(**more: Any) -> AsyncIterator[Parts]:
        settings = Notifications(
            webhook_url=SecretStr(hook.url), webhook_key=SecretStr(SECRET), max_attempts=3
        )
        more.setdefault("events", Events())
        async with running(ledger_dsn, redis_url, notifications=settings, **more) as parts:
            yield parts

    return run


async def dispatch(parts: Parts) -> dict[str, int]:
    """Run the job, which waits for boards that have not followed, and return its counts."""
    return await run_job(parts, "dispatch_notifications")


async def move_clock(parts: Parts, by: timedelta) -> None:
    assert parts.clock is not None
    await parts.clock.set(parts.business_clock.now() + by)


async def test_milestones_badges_and_tiers_reach_the_webhook_once_and_signed(
    notifying: Notifying, hook: Hook
) -> None:
    async with notifying() as parts:
        await give(parts, "ada", 5000)
        counts = await dispatch(parts)
        assert counts["sent"] == len(hook.got) > 0
        assert {"POINTS_MILESTONE", "TIER_CHANGED", "BADGE_UNLOCKED", "RANK_MILESTONE"} == set(
            hook.kinds("ada")
        )

        async def rank_badge_told() -> bool:
            await dispatch(parts)
            return "TOP_10" in [each["data"].get("badge_type") for each in hook.got]

        await until(rank_badge_told, "the badge by rank is told too")
        ids = [each["notification_id"] for each in hook.got]
        assert len(ids) == len(set(ids))
    stamp, signature = hook.headers[0]["Laurel-Signature"].split(",")
    expected = hmac.new(SECRET.encode(), stamp[2:].encode() + b"." + hook.bodies[0], sha256).hexdigest()
    assert signature == f"v1={expected}"
    assert hook.headers[0]["Laurel-Notification-Id"] == hook.got[0]["notification_id"]


async def test_moves_are_told_with_the_ranks(notifying: Notifying, hook: Hook) -> None:
    async with notifying() as parts:
        for number in range(7):
            await give(parts, f"user-{number}", 100 + number)
        await dispatch(parts)
        await move_clock(parts, timedelta(hours=2))
        await give(parts, "user-0", 3)
        await dispatch(parts)
    told = [each for each in hook.got if each["user_id"] == "user-0" and each["kind"] == "RANK_CHANGED"]
    assert [each["message"] for each in told] == ["You moved up 2 ranks!"]
    assert told[0]["data"] == {"rank": "5", "previous_rank": "7"}


async def test_muted_kinds_are_not_told_and_quiet_hours_are_kept(notifying: Notifying, hook: Hook) -> None:
    async with notifying() as parts:
        await parts.profiles.upsert([User("ada"), User("bob")])
        await parts.preferences.write("ada", Preferences(muted=frozenset(Kind) - {Kind.POINTS_MILESTONE}))
        await parts.preferences.write(
            "bob", Preferences(frozenset({Kind.BADGE_UNLOCKED}), quiet_from=time(11), quiet_until=time(13))
        )
        await give(parts, "ada", 5000)
        await give(parts, "bob", 1000)
        await dispatch(parts)
        assert hook.kinds("ada") == ["POINTS_MILESTONE"]
        assert hook.kinds("bob") == [], f"it is {START:%H:%M}"
        await move_clock(parts, timedelta(hours=1))
        await dispatch(parts)
        assert sorted(hook.kinds("bob")) == ["POINTS_MILESTONE", "RANK_MILESTONE"]


async def test_what_the_webhook_refuses_comes_again_and_is_given_up_in_the_end(
    notifying: Notifying, hook: Hook
) -> None:
    async with notifying() as parts:
        await parts.profiles.upsert([User("ada")])
        await parts.preferences.write("ada", Preferences(frozenset(Kind) - {Kind.POINTS_MILESTONE}))
        await give(parts, "ada", 1000)
        hook.status = 503
        assert (await dispatch(parts))["failed"] == 1
        assert (await dispatch(parts))["failed"] == 0, "not before it is due again"
        hook.status = 200
        await move_clock(parts, timedelta(seconds=30))
        assert (await dispatch(parts))["sent"] == 1
        await give(parts, "ada", 4000)
        hook.status = 500
        counts = [await dispatch(parts)]
        for _ in range(2):
            await move_clock(parts, timedelta(hours=1))
            counts.append(await dispatch(parts))
        assert [each["given_up"] for each in counts] == [0, 0, 1]


async def test_points_that_expire_soon_are_told_once(notifying: Notifying, hook: Hook) -> None:
    async with notifying() as parts:
        await give(parts, "ada", action="PURCHASE", attributes={"order_value": "5000"})
        await move_clock(parts, timedelta(days=359))
        await run_job(parts, "expire_points")
        await dispatch(parts)
        await dispatch(parts)
    (warning,) = [each for each in hook.got if each["kind"] == "POINTS_EXPIRING"]
    assert warning["message"] == "50 of your points expire on 2027-11-25"
    assert warning["data"]["points"] == "50"


async def test_a_winner_is_told_his_prize_once(notifying: Notifying, hook: Hook) -> None:
    def told() -> list[dict[str, Any]]:
        return [each for each in hook.got if each["kind"] == "PERIOD_WON"]

    async with notifying() as parts:
        await give(parts, "ada", 1234)
        await give(parts, "bob", 30)
        assert parts.clock is not None
        await parts.clock.set(DAY_CLOSES)
        await run_job(parts, "close_periods")

        async def both_told() -> bool:
            await dispatch(parts)
            return {each["user_id"] for each in told()} == {"ada", "bob"}

        await until(both_told, "both winners are told")
        await dispatch(parts)
        prizes = await parts.pool.fetch(
            "SELECT user_id, transaction_id::text FROM reward_transactions JOIN users USING (user_no)"
            " WHERE action = 'DAILY_WINNER'"
        )
    first, second = sorted(told(), key=lambda each: str(each["user_id"]))
    assert first["message"] == f"You came in at rank 1 in {DAY}: 100 points for you!"
    assert first["data"] == {
        "scope": "global",
        "period_id": DAY,
        "rank": "1",
        "score": "1234",
        "bonus_points": "100",
        "transaction_id": dict(map(tuple, prizes))["ada"],
    }
    assert second["message"] == f"You came in at rank 2 in {DAY}: 50 points for you!"


async def test_without_anything_else_that_takes_them_notifications_are_lines_of_the_log(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url, events=Events()) as parts:
        await give(parts, "ada", 1000)
        with capture_logs() as lines:

            async def logged() -> bool:
                await dispatch(parts)
                return any(line.get("kind") == "POINTS_MILESTONE" for line in lines)

            await until(logged, "it is in the log")
            await dispatch(parts)
    (milestone,) = [line for line in lines if line.get("kind") == "POINTS_MILESTONE"]
    notification_id = milestone.pop("notification_id")
    assert notification_id.endswith(".milestone")
    assert milestone == {
        "event": "notification",
        "log_level": "info",
        "user_id": "ada",
        "kind": "POINTS_MILESTONE",
        "message": "You have earned 1,000 points!",
    }


async def test_nothing_is_left_of_an_erased_user(notifying: Notifying) -> None:
    async with notifying() as parts:
        await give(parts, "ada", 1000)
        await dispatch(parts)
        await parts.people.erase(Order("ada", "erase-1", b"e" * 16, b"h" * 16, "tests"))

        async def nothing_left() -> bool:
            left = "SELECT (SELECT count(*) FROM notifications) + (SELECT count(*) FROM told_ranks)"
            return bool(await parts.pool.fetchval(left) == 0)

        await until(nothing_left, "what he was told is gone")


async def test_who_has_the_id_of_an_erased_user_is_told_nothing_of_his(
    notifying: Notifying, hook: Hook
) -> None:
    async with notifying() as parts:
        async with parts.pool.acquire() as connection, connection.transaction():
            # What follows is heard of when this transaction has ended.
            await connection.fetchval("SELECT pg_current_xact_id()")
            await give(parts, "ada", 1000)
            await parts.people.erase(Order("ada", "erase-1", b"e" * 16, b"h" * 16, "tests"))
            await parts.profiles.upsert([User("ada")])
            await give(parts, "bob", 1000)

        async def bob_is_told() -> bool:
            await dispatch(parts)
            return "POINTS_MILESTONE" in hook.kinds("bob")

        await until(bob_is_told, "what came later is heard of")
    assert hook.kinds("ada") == []


async def test_with_kafka_notifications_go_to_their_topic(
    notifying: Notifying, broker: Broker, reader: Reader
) -> None:
    async with notifying(events=Events(kafka_bootstrap=broker.bootstrap)) as parts:
        await give(parts, "told", 1000)
        await dispatch(parts)
        seen = await reader.until({"notifications.send": 3}, "told")
    (milestone,) = [
        each for each in seen if each.topic == "notifications.send" and each.body.kind == "POINTS_MILESTONE"
    ]
    assert milestone.id == milestone.body.event_id
    assert milestone.body.data == {"points": "1000"}


async def mute_all_but_milestones(parts: Parts, user_id: str) -> None:
    await parts.profiles.upsert([User(user_id)])
    await parts.preferences.write(user_id, Preferences(frozenset(Kind) - {Kind.POINTS_MILESTONE}))


async def dispatched(parts: Parts, outcome: str) -> None:
    """Run the job until it has dealt with one notification, which must come to this."""
    found: list[str] = []

    async def is_heard() -> bool:
        found.extend(name for name, number in (await dispatch(parts)).items() if number)
        return bool(found)

    await until(is_heard, "the consumer has made a notification")
    assert found == [outcome]


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


async def test_what_is_too_large_for_the_webhook_is_given_up_at_once(
    notifying: Notifying, hook: Hook
) -> None:
    hook.status = 413
    async with notifying() as parts:
        await mute_all_but_milestones(parts, "ada")
        await give(parts, "ada", 1000)
        await dispatched(parts, "given_up")


async def test_who_wins_again_on_a_board_that_was_created_again_is_told_again(
    notifying: Notifying, hook: Hook
) -> None:
    """The period has the same id, as both boards have a reset at the same moment."""

    def told() -> list[str]:
        return [each["data"]["bonus_points"] for each in hook.got if each["kind"] == "PERIOD_WON"]

    async with notifying() as parts:
        assert parts.clock is not None
        for reset_cron, bonus, end in (
            ("0 0 * * *", 90, DAY_CLOSES),
            ("0 0 * * 3", 40, DAY_CLOSES + timedelta(days=6)),
        ):
            await board(parts, reset_cron=reset_cron, winner_bonuses=(WinnerBonus(1, bonus),))
            answer = await report(parts, "ada", 7)
            assert answer.rank.board.period_id == "2026-11-25T00:00Z"
            await parts.clock.set(end)
            await run_job(parts, "close_periods")
            await parts.boards.delete("race", RequestKey("tests", f"delete {bonus}", b""))

            async def is_told(prize: str = str(bonus)) -> bool:
                await dispatch(parts)
                return prize in told()

            await until(is_told, "the winner is told")
    assert told() == ["90", "40"]


async def test_a_rank_is_told_although_its_notification_could_not_be_kept_at_first(
    notifying: Notifying, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = notifications.add
    failed: list[Any] = []

    async def add_later(*args: Any) -> int:
        if not failed:
            failed.append(args)
            raise ConnectionResetError("the ledger is away")
        return await add(*args)

    monkeypatch.setattr(notifications, "add", add_later)
    async with notifying() as parts:
        await give(parts, "ada", 1000)

        async def is_told() -> bool:
            await dispatch(parts)
            return hook.kinds("ada").count("POINTS_MILESTONE") == 1

        await until(is_told, "it is kept at last")
    assert failed
    assert hook.kinds("ada").count("RANK_MILESTONE") == 1
