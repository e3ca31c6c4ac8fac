"""Losses that neither an empty Redis nor a missing marker shows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from laurel_server.domain.boards import BoardKey, Visibility
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import RankState, User
from laurel_server.leaderboards import repair
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.loading import Loading
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.projection import Projected, Projection
from laurel_server.leaderboards.rebuild import Rebuild
from laurel_server.metrics import BOARDS_REBUILT
from laurel_server.postgres.turns import REBUILD, Turns
from laurel_server.redis.keys import CANARY
from laurel_server.runtime.wiring import Parts
from tests.integration import engines
from tests.integration.engines import Engine
from tests.integration.users.orders import order
from tests.integration.wired import (
    ALL,
    DAY,
    START,
    WEEK,
    board_at,
    command,
    give,
    keys_of,
    listed,
    running,
    until,
    wrongs,
)


async def settled(parts: Parts) -> bool:
    """Whether the canary says that every batch is on the boards."""
    last: int = await parts.pool.fetchval("SELECT max(batch_no) FROM outbox")
    reply = await parts.redis.call("GET", CANARY)
    return reply is not None and int(reply) == last


async def confirmed(parts: Parts) -> bool:
    """Whether every batch is said to be on the boards."""
    return not await parts.pool.fetchval("SELECT count(*) FROM outbox WHERE NOT projected")


async def whole(parts: Parts) -> bool:
    """Whether the boards equal the ledger; a board that is being filled is not there yet."""
    try:
        return not await wrongs(parts, "boards")
    except LaurelError as refused:
        assert refused.reason is Reason.BOARDS_REBUILDING  # noqa: PT017
        return False


class Snapshots:
    """A Redis that can be put back to where it was."""

    def __init__(self, engine: Engine) -> None:
        self.url = engines.redis_url(engine)
        self._engine = engine

    async def take(self) -> None:
        """Write everything to its file."""
        async with Redis.from_url(self.url) as client:
            await client.save()

    def restore(self) -> None:
        """Kill it; it starts with what is in the file."""
        self._engine.kill()
        self._engine.start()

    async def forget(self) -> None:
        """Write an empty file."""
        async with Redis.from_url(self.url) as client:
            await client.flushall()
            await client.save()


@pytest.fixture
async def snapshots(own_redis_engine: Engine) -> AsyncIterator[Snapshots]:
    """An empty Redis with a snapshot file."""
    snapshots = Snapshots(own_redis_engine)
    await snapshots.forget()
    yield snapshots
    await snapshots.forget()


async def test_a_redis_put_back_under_a_running_server_catches_up(
    ledger_dsn: str, snapshots: Snapshots
) -> None:
    async with running(ledger_dsn, snapshots.url) as parts:
        await give(parts, "ann", 10)
        await until(lambda: settled(parts), "the canary is written")
        await snapshots.take()
        await give(parts, "bob", 20)
        await until(lambda: settled(parts), "the canary is written")

        snapshots.restore()

        await until(lambda: whole(parts), "the boards equal the ledger")
        assert await listed(parts) == [("bob", 20), ("ann", 10)]


async def test_a_snapshot_from_before_the_oldest_event_is_filled_anew(
    ledger_dsn: str, snapshots: Snapshots
) -> None:
    async with running(ledger_dsn, snapshots.url) as parts:
        await give(parts, "ann", 10)
        await until(lambda: settled(parts), "the canary is written")
        await snapshots.take()
        for user in ("bob", "cleo"):
            await give(parts, user, 20)
            await until(lambda: settled(parts), "the canary is written")
        await parts.pool.execute("DELETE FROM outbox WHERE batch_no < (SELECT max(batch_no) FROM outbox)")
    snapshots.restore()

    async with running(ledger_dsn, snapshots.url) as parts:
        await until(lambda: whole(parts), "the boards equal the ledger")
        assert await listed(parts) == [("bob", 20), ("cleo", 20), ("ann", 10)]


async def test_a_server_that_starts_on_an_old_snapshot_catches_up(
    ledger_dsn: str, snapshots: Snapshots
) -> None:
    async with running(ledger_dsn, snapshots.url) as parts:
        await give(parts, "ann", 10)
        await until(lambda: settled(parts), "the canary is written")
        await snapshots.take()
        await give(parts, "ann", 5)
        await give(parts, "bob", 20)
        await until(lambda: settled(parts), "the canary is written")
    snapshots.restore()

    async with running(ledger_dsn, snapshots.url) as parts:
        await until(lambda: whole(parts), "the boards equal the ledger")
        assert await listed(parts) == [("bob", 20), ("ann", 15)]


async def test_the_last_writes_are_repeated_although_the_canary_has_them(
    ledger_dsn: str, snapshots: Snapshots
) -> None:
    async with running(ledger_dsn, snapshots.url) as parts:
        await give(parts, "ann", 10)
        await snapshots.take()
        await give(parts, "bob", 20)
        await until(lambda: settled(parts), "the canary is written")
        canary = await parts.redis.call("GET", CANARY)
    snapshots.restore()
    async with Redis.from_url(snapshots.url) as client:
        await client.set(CANARY, canary)

    async with running(ledger_dsn, snapshots.url) as parts:
        await until(lambda: whole(parts), "the boards equal the ledger")
        assert await listed(parts) == [("bob", 20), ("ann", 10)]


async def test_boards_of_another_ledger_are_forgotten(ledger_dsn: str, redis_url: str) -> None:
    foreign = Placement("stranger", 1 << 40, {ALL: (999, 1)}, (BoardKey("global", ALL),))
    async with running(ledger_dsn, redis_url) as parts:
        await Projection(parts.redis, 5).apply([foreign], {BoardKey("global", ALL)})
        await parts.redis.call("SET", CANARY, 10**9)
        await until(lambda: settled_or_new(parts), "the canary is of this ledger")

        await give(parts, "ann", 10)

        assert await listed(parts) == [("ann", 10)]


async def settled_or_new(parts: Parts) -> bool:
    reply = await parts.redis.call("GET", CANARY)
    return reply is not None and int(reply) < 10**9


async def test_a_new_board_is_no_lost_board(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "WRITERS_TURN_SECONDS", 10)  # however busy the machine is
    before, stop = BOARDS_REBUILT._value.get(), asyncio.Event()

    async def read_on(period_id: str) -> None:
        while not stop.is_set():
            await parts.queries.page(board_at(parts, "global", period_id), "", 10)

    async with asyncio.TaskGroup() as group:
        for period_id in (DAY, WEEK, ALL):
            group.create_task(read_on(period_id))
        answers = await asyncio.gather(*(give(parts, f"user-{n}", 1) for n in range(20)))
        stop.set()

    assert {answer.rank_state for answer in answers} == {RankState.FRESH}
    assert BOARDS_REBUILT._value.get() == before


class Interrupted(Projection):
    """A projection that does something whenever a rebuild has read users."""

    def loading(self, at_once: int = 1, *, tell: bool, claim: str = "") -> Loading:
        return InterruptedLoading(self, at_once, tell=tell, claim=claim)

    async def before(self) -> None:
        await self._redis.call("FLUSHALL")


class InterruptedLoading(Loading):
    def __init__(self, projection: Interrupted, at_once: int, *, tell: bool, claim: str) -> None:
        super().__init__(projection._redis, projection._catalogue, at_once, tell=tell, claim=claim)
        self._before = projection.before

    async def add(self, placements: Sequence[Placement]) -> None:
        await self._before()
        await super().add(placements)


async def test_a_board_lost_while_it_is_filled_is_not_called_complete(parts: Parts) -> None:
    await give(parts, "ann", 10)
    rebuild = rebuild_by(parts, Interrupted(parts.redis, 5))

    with pytest.raises(BoardsUnavailable):
        await rebuild.run()

    await until(lambda: whole(parts), "the boards equal the ledger")
    assert await listed(parts) == [("ann", 10)]


async def test_an_award_that_thinks_the_board_is_new_does_not_end_its_rebuild(parts: Parts) -> None:
    await give(parts, "ann", 10)
    board, seen = BoardKey("global", ALL), []

    class Creating(Interrupted):
        async def before(self) -> None:
            late = Placement("bob", 1 << 40, {ALL: (5, 1)}, (board,))
            seen.append((await self.apply([late], {board})).complete)

    await rebuild_by(parts, Creating(parts.redis, 5)).run([board])

    assert seen == [False]
    assert await listed(parts) == [("ann", 10), ("bob", 5)]


def rebuild_by(parts: Parts, projection: Projection) -> Rebuild:
    """Return a rebuild that loads through the projection."""
    turns = Turns(parts.pool, REBUILD)
    return Rebuild(
        parts.pool, parts.redis, projection, parts.maintenance.catalogue, turns, lambda _: True, UTC, 100
    )


async def test_something_else_in_the_place_of_a_board_is_replaced(parts: Parts) -> None:
    await give(parts, "ann", 10)
    await parts.redis.call("SET", keys_of()[0], "text")

    await until(lambda: whole(parts), "the boards equal the ledger")
    assert await listed(parts) == [("ann", 10)]


@pytest.fixture
async def past(parts: Parts) -> Parts:
    """A server where the day of two awards is over and out of the users' open totals."""
    await parts.awards.award_batch([command("ann", 10), command("bob", 5)], None)
    assert parts.clock is not None
    await parts.clock.set(parts.clock.now() + timedelta(days=30))
    await parts.awards.award_batch([command("ann", 1), command("bob", 1)], None)
    assert await parts.pool.fetchval("SELECT count(*) FROM period_totals WHERE period_id = $1", DAY) == 2
    await until(lambda: settled(parts), "the canary is written")
    return parts


async def test_the_integrity_check_sees_the_past(past: Parts) -> None:
    assert await wrongs(past, "boards") == []
    key = keys_of("global", DAY)[0]
    (best,) = await past.redis.call("ZREVRANGE", key, 0, 0)
    await past.redis.call("ZADD", key, 99, best)

    assert await wrongs(past, "boards") == [f"boards_equal_totals: ann on global {DAY}"]


async def test_what_never_came_to_a_board_of_the_past_is_brought_there(past: Parts) -> None:
    standings, members, _ = keys_of("global", DAY)
    (best,) = await past.redis.call("ZREVRANGE", standings, 0, 0)
    await past.redis.call("ZREM", standings, best)
    await past.redis.call("HDEL", members, "ann")
    await past.pool.execute(
        "UPDATE outbox SET projected = false, created_at = created_at - interval '1 minute'"
        " WHERE batch_no = (SELECT min(batch_no) FROM outbox)"
    )

    await until(lambda: whole(past), "the boards equal the ledger")
    assert await listed(past, "global", DAY) == [("ann", 10), ("bob", 5)]


@pytest.mark.parametrize("scope", ["country:US", "tier:silver"])
async def test_who_came_to_a_board_before_its_period_was_over_is_brought_there_after_it(
    parts: Parts, scope: str
) -> None:
    assert parts.clock is not None
    await give(parts, "ann", 10)
    if scope == "country:US":
        await parts.profiles.upsert([User("ann", country="US")])
    else:
        await give(parts, "ann", 5000, occurred_at=START - timedelta(days=40))
    await parts.clock.set(parts.clock.now() + timedelta(days=30))
    await give(parts, "ann", 1)
    await until(lambda: settled(parts), "the canary is written")
    standings, members, _ = keys_of(scope, WEEK)
    await parts.redis.call("UNLINK", standings)
    await parts.redis.call("HDEL", members, "ann")
    assert await listed(parts, scope, WEEK) == []
    await parts.pool.execute(
        "UPDATE outbox SET projected = false, created_at = created_at - interval '1 minute'"
        " WHERE batch_no = (SELECT min(batch_no) + 1 FROM outbox)"
    )

    await until(lambda: whole(parts), "the boards equal the ledger")
    assert await listed(parts, scope, WEEK) == [("ann", 10)]


async def test_who_had_left_a_board_and_came_back_before_its_period_was_over_stays_on_it(
    parts: Parts,
) -> None:
    assert parts.clock is not None
    await give(parts, "ann", 10)
    await parts.people.set_visibility(order("ann"), Visibility.HIDDEN)
    await parts.people.set_visibility(order("ann", "r-2"), Visibility.PUBLIC)
    await parts.clock.set(parts.clock.now() + timedelta(days=30))
    await give(parts, "ann", 1)
    await until(lambda: settled(parts), "the canary is written")
    await parts.pool.execute(
        "UPDATE outbox SET projected = false, created_at = created_at - interval '1 minute'"
        " WHERE batch_no = (SELECT min(batch_no) + 1 FROM outbox)"
    )
    await until(lambda: confirmed(parts), "the move has been repeated")
    assert await listed(parts, "global", WEEK) == [("ann", 10)]


async def test_a_promotion_that_redis_lost_leaves_nobody_on_the_board_of_his_old_tier(
    ledger_dsn: str, snapshots: Snapshots
) -> None:
    async with running(ledger_dsn, snapshots.url) as parts:
        await give(parts, "ann", 10)
        await give(parts, "bob", 20)
        await until(lambda: settled(parts), "the canary follows")
        await snapshots.take()
        await give(parts, "ann", 60_000)
        await until(lambda: settled(parts), "the canary follows")
        snapshots.restore()

        await until(lambda: whole(parts), "the boards equal the ledger")
        assert await listed(parts, "tier:bronze") == [("bob", 20)]
        assert await listed(parts, "tier:diamond") == [("ann", 60_010)]
        gone = await parts.redis.call("HLEN", keys_of("tier:diamond")[2])
        assert gone == 0


async def test_repair_leaves_alone_what_this_server_still_has_in_hand(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes: repeating it would only add to the load that makes it slow."""
    seen: list[set[int]] = []
    project = Projection.project

    async def watched(*arguments: Any) -> Projected:
        seen.append(parts.confirmations.in_hand)
        return await project(*arguments)

    monkeypatch.setattr(Projection, "project", watched)
    for user in ("ann", "bob"):
        await give(parts, user)
    ann, bob = [row[0] for row in await parts.pool.fetch("SELECT batch_no FROM outbox ORDER BY batch_no")]
    assert ann in seen[0]
    assert bob in seen[1]

    async def projected() -> set[int]:
        return {row[0] for row in await parts.pool.fetch("SELECT batch_no FROM outbox WHERE projected")}

    async def both() -> bool:
        return await projected() == {ann, bob}

    async def only_bob() -> bool:
        return await projected() == {bob}

    async def nothing_in_hand() -> bool:
        return not parts.confirmations.in_hand

    await until(both, "the batches are confirmed")
    await until(nothing_in_hand, "they are in hand no more")
    with parts.confirmations.carrying(ann):
        await parts.pool.execute(
            "UPDATE outbox SET projected = false, created_at = created_at - interval '1 minute'"
        )
        await until(only_bob, "repair does the other batch")
    await until(both, "repair does the batch that was given up")
