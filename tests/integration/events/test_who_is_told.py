"""Who is told what happens, and when: preferences, quiet hours, and people who were erased."""

from datetime import time, timedelta
from typing import cast

import orjson

from laurel_server.domain.ledger import User
from laurel_server.domain.notifications import Kind, Notification, Preferences, ToldRank
from laurel_server.domain.people import Order
from laurel_server.events.notifier import Notifier, Places
from laurel_server.events.source import Heard, Polled
from laurel_server.postgres import notifications
from laurel_server.runtime.config_outside import Events
from laurel_server.runtime.wiring import Parts
from tests.integration.events.notifying import (
    Hook,
    Notifying,
    dispatch,
    dispatched,
    move_clock,
    mute_all_but_milestones,
)
from tests.integration.wired import START, give, until


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


async def test_what_failed_before_quiet_hours_waits_for_their_end(notifying: Notifying, hook: Hook) -> None:
    quiet = Preferences(frozenset(Kind) - {Kind.POINTS_MILESTONE}, quiet_from=time(13), quiet_until=time(14))
    async with notifying() as parts:
        await parts.profiles.upsert([User("ada")])
        await parts.preferences.write("ada", quiet)
        await give(parts, "ada", 1000)
        hook.status = 503
        await dispatched(parts, "failed")
        hook.status = 200
        await move_clock(parts, timedelta(hours=1))
        assert not any((await dispatch(parts)).values()), f"it is {START:%H:%M} and an hour more"
        assert hook.got == []
        await move_clock(parts, timedelta(hours=1))
        assert (await dispatch(parts))["sent"] == 1
    assert hook.kinds("ada") == ["POINTS_MILESTONE"]


async def test_what_is_muted_meanwhile_is_not_sent(notifying: Notifying, hook: Hook) -> None:
    async with notifying() as parts:
        await mute_all_but_milestones(parts, "ada")
        await give(parts, "ada", 1000)
        hook.status = 503
        await dispatched(parts, "failed")
        hook.status = 200
        await parts.preferences.write("ada", Preferences(frozenset(Kind)))
        await move_clock(parts, timedelta(minutes=2))
        assert not any((await dispatch(parts)).values())
        assert await parts.pool.fetchval("SELECT count(*) FROM notifications") == 0
    assert hook.got == []


async def keep(parts: Parts, user_id: str, user_no: int = 0) -> None:
    """Keep a notification that is due now, and a rank, as the consumer does."""
    notification = Notification("n-1", user_id, Kind.POINTS_MILESTONE, "Well done", {}, START, user_no)
    async with parts.pool.acquire() as connection, connection.transaction():
        await notifications.add(connection, [(notification, START)])
        await notifications.tell(connection, {user_id: ToldRank(1, START)})


async def test_of_who_is_erased_nothing_waits_for_a_consumer_to_hear_of_it(notifying: Notifying) -> None:
    async with notifying(events=Events(consumers="off")) as parts:
        await give(parts, "ada", 1000)
        await keep(parts, "ada")
        await parts.people.erase(Order("ada", "erase-1", b"e" * 16, b"h" * 16, "tests"))
        left = "SELECT (SELECT count(*) FROM notifications) + (SELECT count(*) FROM told_ranks)"
        assert await parts.pool.fetchval(left) == 0


async def test_who_is_unknown_by_now_is_told_nothing(notifying: Notifying, hook: Hook) -> None:
    """A consumer may keep what it has heard just when the user is erased."""
    async with notifying(events=Events(consumers="off")) as parts:
        await keep(parts, "gone")
        assert not any((await dispatch(parts)).values())
        assert await parts.pool.fetchval("SELECT count(*) FROM notifications") == 0
    assert hook.got == []


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


async def heard(parts: Parts, kind: str) -> list[Heard]:
    """Return the events of a type, oldest first, as a consumer hears them."""
    rows = await parts.pool.fetch(
        "SELECT batch_no, body::text AS body FROM events WHERE type = $1 ORDER BY batch_no, place", kind
    )
    return [Heard(str(row["batch_no"]), orjson.loads(row["body"]), None) for row in rows]


async def test_what_is_heard_late_of_who_was_erased_is_told_to_nobody(
    notifying: Notifying, hook: Hook
) -> None:
    """The topics of Kafka come in any order: the erasure before what was earned, or long after."""
    async with notifying(events=Events(consumers="off")) as parts:
        await give(parts, "ada", 1000)
        first = await parts.pool.fetchval("SELECT user_no FROM users")
        await parts.people.erase(Order("ada", "erase-1", b"e" * 16, b"h" * 16, "tests"))
        await give(parts, "ada", 5000)
        (earned_first, earned), (erased,) = (
            await heard(parts, "rewards.earned"),
            await heard(parts, "user.erased"),
        )
        assert [each.body["user_no"] for each in (earned_first, erased)] == [first, first]
        clock, zone = parts.business_clock, parts.zone
        notifier = Notifier(parts.pool, cast("Places", None), clock, zone, timedelta(hours=1))

        async def nothing_is_put_aside(heard: Heard, error: Exception) -> None:
            raise AssertionError(heard) from error

        for event in (earned, earned_first, erased):
            await notifier.handle(Polled([event], False, False, None), nothing_is_put_aside)
        kept = await parts.pool.fetch(
            "SELECT user_id, user_no > $1 AS is_hers, message FROM notifications", first
        )
        assert {tuple(row) for row in kept} == {
            ("ada", True, "You have earned 5,000 points!"),
            ("ada", True, "You are Silver now"),
        }
        await keep(parts, "ada", first)  # its consumer has read who she was just before the erasure
        await dispatch(parts)
    assert sorted(hook.kinds("ada")) == ["POINTS_MILESTONE", "TIER_CHANGED"]
