import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from redis.asyncio import Redis

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import RankState, User
from laurel_server.redis.keys import TIE_LENGTH
from laurel_server.runtime.wiring import Parts
from tests.integration import engines
from tests.integration.engines import Engine
from tests.integration.wired import (
    ALL,
    WEEK,
    board_at,
    command,
    give,
    keys_of,
    listed,
    rest_repair,
    running,
    until,
    wrongs,
)

USERS = 50
BEST = [(f"user-{n:02}", 1000 - n) for n in range(USERS)]

Damage = Callable[[Parts], Awaitable[object]]


async def fill(parts: Parts) -> None:
    """Award every user of BEST his points."""
    results = await parts.awards.award_batch([command(user_id, points) for user_id, points in BEST], None)
    assert not [result for result in results if isinstance(result, Exception)]

    async def are_listed() -> bool:
        with suppress(LaurelError):
            return await listed(parts) == BEST
        return False

    await until(are_listed, "the boards follow, however short their budget is")


async def repaired(parts: Parts) -> bool:
    """Whether the boards equal the ledger; a board that is being filled is not there yet."""
    try:
        return not await wrongs(parts, "boards")
    except LaurelError as refused:
        assert refused.reason is Reason.BOARDS_REBUILDING  # noqa: PT017
        return False


async def full_or_refused(parts: Parts) -> bool:
    """Read a board; whether it answered. It must never be short."""
    try:
        page = await parts.queries.page(board_at(parts), "", 1000)
    except LaurelError as refused:
        assert refused.reason is Reason.BOARDS_REBUILDING  # noqa: PT017
        return False
    assert (page.total, [(line.user_id, line.score) for line in page.lines]) == (USERS, BEST)
    return True


DAMAGES: dict[str, Damage] = {
    "all keys": lambda parts: parts.redis.call("FLUSHALL"),
    "the standings of a board": lambda parts: parts.redis.call("DEL", keys_of()[0]),
    "the members of a board": lambda parts: parts.redis.call("DEL", keys_of()[1]),
    "some lines of a board": lambda parts: parts.redis.call("ZREMRANGEBYRANK", keys_of()[0], 3, 5),
    "a marker": lambda parts: parts.redis.call("HDEL", keys_of()[1], "\0"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_a_loss_is_repaired_without_traffic_and_never_read_as_a_short_list(
    parts: Parts, damage: Damage
) -> None:
    await fill(parts)

    await damage(parts)

    await until(lambda: repaired(parts), "the boards equal the ledger")
    assert await listed(parts) == BEST


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_readers_see_the_whole_board_or_none_during_a_loss(parts: Parts, damage: Damage) -> None:
    await fill(parts)
    await damage(parts)

    await until(lambda: full_or_refused(parts), "the board is read again")


async def test_who_has_lost_his_line_is_not_read_as_one_who_never_had_it(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(parts)
    await rest_repair(parts, monkeypatch)
    standings, members, _ = keys_of()
    stored = await parts.redis.call("HGET", members, "user-03")
    await parts.redis.call("ZREM", standings, stored[:TIE_LENGTH] + b"user-03")
    await parts.redis.call("ZADD", standings, 1, stored[:TIE_LENGTH] + b"nobody")  # as many lines as before
    for read in (parts.queries.ranks_of, parts.queries.places):
        assert (await read(board_at(parts), ["user-02", "unknown"]))[0]
        with pytest.raises(LaurelError) as refused:
            await read(board_at(parts), ["user-02", "user-03"])
        assert refused.value.reason is Reason.BOARDS_REBUILDING
    await parts.maintenance.rebuild(None)
    assert await parts.queries.ranks_of(board_at(parts), ["user-03"]) == (USERS, {"user-03": (4, 997)})


async def test_awards_during_a_loss_are_ranked_pending_or_right(parts: Parts) -> None:
    await fill(parts)
    await parts.redis.call("FLUSHALL")

    answers = [await give(parts, "winner", 1000) for _ in range(20)]

    for answer in answers:
        if answer.rank_state is RankState.FRESH:
            assert {rank.total for rank in answer.ranks if rank.board.scope == "global"} == {USERS + 1}
    await until(lambda: repaired(parts), "the boards equal the ledger")
    assert await listed(parts) == [("winner", 20_000), *BEST]


async def test_forgotten_scripts_are_sent_again(parts: Parts) -> None:
    await fill(parts)
    await parts.redis.call("SCRIPT", "FLUSH")

    answers = await asyncio.gather(*(give(parts, f"late-{n}", 1) for n in range(20)))

    assert {answer.rank_state for answer in answers} == {RankState.FRESH}
    assert len(await listed(parts)) == USERS + 20


async def test_a_rebuild_among_awards_loses_none_of_them(parts: Parts) -> None:
    await fill(parts)
    stop = asyncio.Event()

    async def award_on(user_id: str) -> int:
        made = 0
        while not stop.is_set():
            await give(parts, user_id, 1)
            made += 1
        return made

    async with asyncio.TaskGroup() as group:
        awarding = {f"user-{n:02}": group.create_task(award_on(f"user-{n:02}")) for n in range(5)}
        for _ in range(5):
            await parts.maintenance.rebuild(None)
        stop.set()

    await until(lambda: repaired(parts), "the boards equal the ledger")
    made = {user_id: task.result() for user_id, task in awarding.items()}
    assert dict(await listed(parts)) == {user_id: score + made.get(user_id, 0) for user_id, score in BEST}
    assert await wrongs(parts) == []


async def test_a_thousand_ranks_in_one_call(parts: Parts) -> None:
    users = [f"user-{n:04}" for n in range(995)]
    await parts.awards.award_batch([command(user_id, 2000 - n) for n, user_id in enumerate(users)], None)
    unknown = [f"unknown-{n}" for n in range(5)]

    lines, missing = await parts.queries.places(board_at(parts), [*unknown, *reversed(users)])

    assert [(line.rank, line.user_id) for line in lines] == list(enumerate(users, start=1))
    assert missing == unknown


@pytest.fixture
async def own_redis(own_redis_engine: Engine) -> AsyncIterator[Engine]:
    """An empty Redis that the test may stop; it goes on after the test."""
    async with Redis.from_url(engines.redis_url(own_redis_engine)) as client:
        await client.flushall()
    yield own_redis_engine
    own_redis_engine.signal(signal.SIGCONT)


@pytest.fixture
async def fragile(ledger_dsn: str, own_redis: Engine) -> AsyncIterator[Parts]:
    """A server on a Redis that the test may stop, with the usual budget for ranks."""
    async with running(
        ledger_dsn, engines.redis_url(own_redis), budget_ms=200, read_timeout_ms=3000
    ) as parts:
        yield parts


async def test_a_redis_that_stands_still_delays_ranks_but_no_award(fragile: Parts, own_redis: Engine) -> None:
    await fill(fragile)
    own_redis.signal(signal.SIGSTOP)

    took = []
    for _ in range(3):  # of which a busy machine may spoil one or two
        started = time.monotonic()
        answers = await asyncio.gather(*(give(fragile, f"late-{n}", 1) for n in range(10)))
        took.append(time.monotonic() - started)
        assert {answer.rank_state for answer in answers} == {RankState.PENDING}
    assert min(took) < 1.5
    assert (await fragile.statement.rewards("late-0")).total_points == 3
    with pytest.raises(LaurelError) as refused:
        await fragile.queries.page(board_at(fragile), "", 10)
    assert refused.value.reason is Reason.BOARDS_REBUILDING

    own_redis.signal(signal.SIGCONT)
    await until(lambda: repaired(fragile), "the boards equal the ledger")
    assert len(await listed(fragile)) == USERS + 10


async def test_a_redis_that_starts_again_empty_is_filled(fragile: Parts, own_redis: Engine) -> None:
    await fill(fragile)
    own_redis.kill()
    assert (await give(fragile, "late", 1)).rank_state is RankState.PENDING

    own_redis.start()

    await until(lambda: repaired(fragile), "the boards equal the ledger")
    assert await listed(fragile) == [*BEST, ("late", 1)]


async def test_who_moves_to_another_country_moves_on_the_boards(parts: Parts) -> None:
    await parts.profiles.upsert([User("ann", country="US"), User("bob", country="US")])
    await give(parts, "ann", 10)
    await give(parts, "bob", 5)

    await parts.profiles.upsert([User("ann", country="GB")])

    for period_id in (WEEK, ALL):
        assert await listed(parts, "country:GB", period_id) == [("ann", 10)]
        assert await listed(parts, "country:US", period_id) == [("bob", 5)]
    await give(parts, "ann", 1)
    assert await listed(parts, "country:GB") == [("ann", 11)]
    assert await listed(parts, "country:US") == [("bob", 5)]
    await parts.profiles.upsert([User("ann", country="US")])
    assert await listed(parts, "country:US") == [("ann", 11), ("bob", 5)]
    assert await listed(parts, "country:GB") == []
    assert await wrongs(parts) == []


async def test_who_moves_while_redis_is_away_is_moved_later(fragile: Parts, own_redis: Engine) -> None:
    await fragile.profiles.upsert([User("ann", country="US")])
    await give(fragile, "ann", 10)
    own_redis.signal(signal.SIGSTOP)

    await fragile.profiles.upsert([User("ann", country="GB")])
    own_redis.signal(signal.SIGCONT)

    await until(lambda: repaired(fragile), "the boards equal the ledger")
    assert await listed(fragile, "country:GB") == [("ann", 10)]
    assert await listed(fragile, "country:US") == []
