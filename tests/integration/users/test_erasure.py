"""Erasing people: what is left of them, in the ledger and in Redis, and who comes under their id."""

import asyncio
from datetime import timedelta

import orjson
import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import BoardKey, Visibility
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import Reason
from laurel_server.domain.ledger import User
from laurel_server.domain.tiers import Tier
from laurel_server.domain.user_filter import UserFilter
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.projection import Projection
from laurel_server.redis.keys import board_keys
from laurel_server.runtime.config_outside import Events
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import lines, report
from tests.integration.spend import hold, redeem
from tests.integration.users.orders import order, refusal_of
from tests.integration.wired import (
    DAY,
    WEEK,
    board_at,
    entries_of,
    give,
    listed,
    rest_repair,
    run_job,
    running,
    until,
    wrongs,
)


async def test_every_read_of_the_id_finds_nobody(parts: Parts) -> None:
    await parts.profiles.upsert([User("ann", username="Ann", email="ann@shop.example", country="US")])
    entry = (await give(parts, "ann", 100)).entry
    await parts.people.erase(order("ann"))
    board = board_at(parts)
    for read in (
        parts.profiles.get("ann"),
        parts.statement.rewards("ann"),
        parts.statement.rewards("ann", entry.transaction_time),
        parts.statement.expiring("ann", None),
        parts.statement.transactions("ann", (), None, None, None, 10),
        parts.queries.place(board, "ann"),
        parts.queries.surrounding(board, "ann", 5),
        parts.queries.all_places("ann"),
        parts.standing.tier("ann"),
    ):
        assert await refusal_of(read) is Reason.USER_NOT_FOUND
    assert (await parts.queries.places(board, ["ann"])) == ([], ["ann"])
    assert await parts.statement.rewards_of(["ann"]) == {}
    assert not await parts.people.find(UserFilter(), "", 10)
    assert (await parts.statement.transaction(entry.transaction_id)).user_id == ""


async def test_off_every_board_those_of_the_past_too(parts: Parts) -> None:
    assert parts.clock is not None
    await parts.profiles.upsert([User("ann", country="US")])
    for user_id in ("ann", "bob"):
        await give(parts, user_id, 100)
    await parts.clock.advance(timedelta(days=8))
    for user_id in ("ann", "bob"):
        await give(parts, user_id, 1)

    await parts.people.erase(order("ann"))

    assert await listed(parts, "global", DAY) == await listed(parts, "global", WEEK) == [("bob", 100)]
    assert await listed(parts, "country:US", WEEK) == []
    assert await listed(parts) == [("bob", 101)]
    assert await wrongs(parts) == []
    await parts.maintenance.rebuild(None)
    assert await listed(parts, "global", DAY) == [("bob", 100)]


async def test_nothing_of_the_person_stays(parts: Parts) -> None:
    await parts.profiles.upsert(
        [User("ann", "Ann Lee", "ann@shop.example", "https://shop.example/ann.png", country="US")]
    )
    await give(parts, "ann", 100)
    await parts.people.erase(order("ann", actor="joe", reason="asked to"))
    users = orjson.loads(await parts.pool.fetchval("SELECT json_agg(users)::text FROM users"))
    (left,) = users
    assert left.pop("user_id") == f"~{left.pop('user_no')}"
    assert left.pop("erased_at")
    assert left.pop("created_at")
    assert left.pop("visibility") == Visibility.HIDDEN
    assert not any(left.values())
    assert await parts.pool.fetchval("SELECT count(*) FROM user_measures WHERE measure = 'ERASE'") == 1


async def test_no_table_but_the_outbox_knows_of_him(ledger_dsn: str, redis_url: str) -> None:
    """Whatever was kept meanwhile: answers, standings, snapshots, winners, badges, ranks by day."""
    async with running(ledger_dsn, redis_url, events=Events()) as parts:
        await _is_forgotten(parts)


async def _is_forgotten(parts: Parts) -> None:
    assert parts.clock is not None
    ann = User("ann.lee", "Ann Lee", "ann.lee@shop.example", "https://shop.example/ann.lee.png", country="US")
    await parts.profiles.upsert([ann])
    await give(parts, "ann.lee", 6000)
    await redeem(parts, "ann.lee", 7)
    await hold(parts, "ann.lee", 5, request_id="h-1")
    for name in ("award_badges", "snapshot_ranks"):
        await run_job(parts, name)
    await parts.clock.advance(timedelta(days=40))
    for name in ("close_periods", "expire_points", "snapshot_ranks", "dispatch_notifications"):
        await run_job(parts, name)
    assert await known_in(parts, b"ann.lee") >= {"users", "outbox", "notifications"}

    await parts.people.erase(order("ann.lee"))

    async def forgotten() -> bool:
        return await known_in(parts, b"ann.lee") == {"outbox"}  # until its retention ends

    await until(forgotten, "only the outbox knows of him")
    assert await known_in(parts, b"Ann Lee") == set()


async def test_the_ledger_stays(parts: Parts) -> None:
    await give(parts, "ann", 100)
    await give(parts, "bob", 7)
    await parts.people.erase(order("ann"))
    assert await parts.pool.fetchval("SELECT sum(points) FROM reward_transactions") == 107
    assert await parts.pool.fetchval("SELECT sum(balance) FROM user_rewards") == 107
    assert await wrongs(parts) == []


async def test_a_new_award_starts_a_new_person(parts: Parts) -> None:
    await parts.profiles.upsert([User("ann", username="Ann", country="US")])
    await give(parts, "ann", 6000)
    await parts.people.erase(order("ann"))

    answer = await give(parts, "ann", 10)
    assert (answer.rewards.total_points, answer.rewards.tier) == (10, Tier.BRONZE)
    assert await entries_of(parts, "ann") == [10]
    assert (await parts.profiles.get("ann")).username == ""
    assert await listed(parts) == await listed(parts, "tier:bronze") == [("ann", 10)]
    assert await wrongs(parts) == []

    await parts.people.erase(order("ann", "r-2"))
    assert await listed(parts) == []
    assert await wrongs(parts) == []


async def test_an_old_request_makes_no_new_award(parts: Parts) -> None:
    await give(parts, "ann", 100, request_id="buy")
    await parts.people.erase(order("ann"))
    again = await give(parts, "ann", 100, request_id="buy")
    assert (again.replayed, again.entry.user_id, again.ranks) == (True, "", ())
    assert await parts.pool.fetchval("SELECT count(*) FROM reward_transactions") == 1


async def test_is_done_once_whatever_is_retried(parts: Parts) -> None:
    await give(parts, "ann", 100)
    first = await asyncio.gather(*(parts.people.erase(order("ann")) for _ in range(5)))
    assert sorted(first) == [False, True, True, True, True]
    await give(parts, "ann", 5)
    assert await parts.people.erase(order("ann"))  # the new person stays
    assert await listed(parts) == [("ann", 5)]
    assert await refusal_of(parts.people.erase(order("bob"))) is Reason.IDEMPOTENCY_CONFLICT
    assert await refusal_of(parts.people.erase(order("nobody", "r-3"))) is Reason.USER_NOT_FOUND


async def test_awards_meanwhile_belong_to_one_person_or_the_other(parts: Parts) -> None:
    for _ in range(3):
        await give(parts, "ann", 1)
    *_, _ = await asyncio.gather(
        *(give(parts, "ann", 1) for _ in range(40)),
        parts.people.erase(order("ann")),
        *(give(parts, "ann", 1) for _ in range(40)),
    )
    await give(parts, "ann", 1)
    assert await parts.pool.fetchval("SELECT sum(balance) FROM user_rewards") == 84
    assert await wrongs(parts) == []


async def test_what_the_server_did_not_take_to_the_boards_is_repaired(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(parts, "ann", 100)
    await give(parts, "bob", 100)
    with monkeypatch.context() as patched:
        patched.setattr("laurel_server.users.moves.Moves.project", _nothing)
        await rest_repair(parts, patched)
        await parts.people.erase(order("ann"))
        assert await listed(parts) == [("ann", 100), ("bob", 100)]
    await parts.pool.execute("UPDATE outbox SET created_at = created_at - interval '1 minute'")

    async def is_gone() -> bool:
        return await listed(parts) == [("bob", 100)]

    await until(is_gone, "repair takes the erased user off")


async def test_a_late_old_write_does_not_bring_him_back(parts: Parts) -> None:
    answer = await give(parts, "ann", 100)
    totals = {"all": (100, answer.rewards.version)}
    await parts.people.erase(order("ann"))
    late = Placement("ann", answer.rewards.version, totals, (BoardKey("global", "all"),))
    await Projection(parts.redis, 60).load([late], tell=False)
    assert await listed(parts) == []


async def test_leaves_nothing_in_redis_of_boards_that_are_not_there(parts: Parts) -> None:
    assert parts.clock is not None
    race = BoardConfig("race", BoardKind.SCORES, "race", reset_cron="0 0 * * *")
    await parts.boards.create(race, RequestKey("tests", "create", b""))
    for user_id in ("ann", "bob", "cid"):
        await parts.profiles.upsert([User(user_id, country="US")])
        await give(parts, user_id, 100)
        await report(parts, user_id, 9)
    await parts.clock.advance(timedelta(days=40))
    assert (await run_job(parts, "close_periods"))["archived"] > 3
    await give(parts, "bob", 1)
    await parts.boards.delete("country-weekly", RequestKey("tests", "delete", b""))
    await parts.boards._remains.clear()

    await parts.people.erase(order("ann"))

    archived = BoardKey("global", WEEK), BoardKey("race", "2026-11-25T00:00Z")
    assert await all_go_with_their_boards(parts) >= {board_keys(board).gone for board in archived}
    assert await listed(parts, *archived[0]) == [("bob", 100), ("cid", 100)]
    assert await lines(parts, *archived[1]) == [(1, "bob", 9, 0), (2, "cid", 9, 0)]
    await parts.redis.call("DEL", *(board_keys(board).gone for board in archived))
    await parts.people.erase(order("bob", "r-2"))
    assert await listed(parts, *archived[0]) == [("cid", 100)]
    assert await all_go_with_their_boards(parts) >= {board_keys(board).gone for board in archived}
    for board in archived:
        stays = await parts.redis.call("TTL", board_keys(board).members)
        assert 30 < stays <= 3600
        assert await parts.redis.call("TTL", board_keys(board).gone) == pytest.approx(stays, abs=1)


async def test_an_award_that_is_late_to_begin_a_board_does_not_bring_him_back(parts: Parts) -> None:
    await parts.boards.delete("country-weekly", RequestKey("tests", "delete", b""))  # a board to play with
    board = BoardKey("country:US", WEEK)
    projection = Projection(parts.redis, 60)
    await projection.apply([Placement("ann", 2, {}, (), (board,))])
    assert 0 < await parts.redis.call("TTL", board_keys(board).gone) <= 30
    await projection.apply([Placement("ann", 1, {WEEK: (5, 1)}, (board,))], {board})
    assert await parts.redis.call("ZCARD", board_keys(board).standings) == 0
    await projection.apply([Placement("bob", 3, {}, (), (board,))])  # the board is there now
    assert await parts.redis.call("TTL", board_keys(board).gone) == -1


async def all_go_with_their_boards(parts: Parts) -> set[str]:
    """Check that what is known of departures goes with the boards, or by itself; return the keys."""
    found = [key.decode() for key in await parts.redis.call("KEYS", "{leaderboard:*:gone")]
    for key in found:
        stays = await parts.redis.call("TTL", key)
        is_there = await parts.redis.call("EXISTS", key.removesuffix(":gone") + ":members")
        assert is_there or 0 < stays <= 30, key
    return set(found)


async def _nothing(*_: object) -> None:
    return


async def known_in(parts: Parts, what: bytes) -> set[str]:
    """Return the tables that hold these bytes anywhere, in texts or in what is encoded."""
    tables = await parts.pool.fetch(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    found = set()
    for (table,) in tables:
        rows = "".join(row[0] for row in await parts.pool.fetch(f"SELECT t::text FROM {table} t"))
        if what.decode() in rows or what.hex() in rows:
            found.add(table)
    return found
