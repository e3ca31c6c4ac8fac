"""Boards whose period is long over: out of Redis, and readable all the same."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.boards import TiePolicy, Visibility
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import RankState, User
from laurel_server.domain.people import Order
from laurel_server.leaderboards import archive
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.periods.close import PeriodClose
from laurel_server.redis.keys import all_keys
from laurel_server.redis.scripts import Script, script
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, lines, report
from tests.integration.periods.cuts import Cut
from tests.integration.wired import DAY, WEEK, board_at, give, keys_of, listed, run_job, until, wrongs

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
STANDING = [("ann", 30), ("bob", 20), ("cid", 20), ("dot", 5)]


async def archived(parts: Parts) -> None:
    """Let a week be archived."""
    for name, points in STANDING:
        await give(parts, name, points)
    await parts.people.set_visibility(Order("dot", "r", b"r", b"", "joe", "asked to"), Visibility.HIDDEN)
    assert parts.clock is not None
    await parts.clock.set(MONDAY + timedelta(days=14))
    assert (await run_job(parts, "close_periods"))["archived"] == 3


async def keys_left(parts: Parts, scope: str, period_id: str) -> int:
    left: int = await parts.redis.call("EXISTS", *keys_of(scope, period_id))
    return left


async def test_an_archived_board_leaves_redis_and_is_no_loss(parts: Parts) -> None:
    await archived(parts)
    for scope, period_id in (("global", DAY), ("global", WEEK), ("tier:bronze", WEEK)):
        assert await keys_left(parts, scope, period_id) == 0
    await parts.redis.call("FLUSHALL")
    await parts.maintenance.rebuild(None)
    assert await wrongs(parts) == []
    assert await keys_left(parts, "global", WEEK) == 0


async def test_an_archived_standing_is_read_as_it_was(parts: Parts) -> None:
    await archived(parts)
    assert await listed(parts, period_id=WEEK) == STANDING[:3]
    assert await listed(parts, "tier:bronze", WEEK) == STANDING[:3]
    place = await parts.queries.place(board_at(parts, period_id=DAY), "cid")
    assert (place.rank, place.score, place.total) == (3, 20, 3)
    around = await parts.queries.surrounding(board_at(parts, period_id=DAY), "bob", 1)
    assert [line.user_id for line in around.lines] == ["ann", "bob", "cid"]
    with pytest.raises(LaurelError) as refused:
        await parts.queries.place(board_at(parts, period_id=DAY), "dot")
    assert refused.value.reason is Reason.NOT_ON_BOARD
    assert await wrongs(parts) == []


async def test_more_boards_than_the_pool_has_connections_come_back_at_once(parts: Parts) -> None:
    count = 2 * parts.pool.get_max_size()
    countries = [f"{first}{second}" for first in "ABCDEFGH" for second in "ABCDEFGH"][:count]
    await parts.profiles.upsert([User(user_id=f"user-{each}", country=each) for each in countries])
    for each in countries:
        await give(parts, f"user-{each}", 10)
    assert parts.clock is not None
    await parts.clock.set(MONDAY + timedelta(days=14))
    await run_job(parts, "close_periods")
    async with asyncio.timeout(60):
        boards = await asyncio.gather(*(listed(parts, f"country:{each}", WEEK) for each in countries))
    assert boards == [[(f"user-{each}", 10)] for each in countries]


async def test_another_tie_policy_holds_for_what_was_brought_back_before(parts: Parts) -> None:
    await archived(parts)
    assert await listed(parts, period_id=WEEK) == STANDING[:3]
    weekly = await parts.boards.board("global-weekly")
    await parts.boards.update(replace(weekly, tie_policy=TiePolicy.DENSE), ["tie_policy"])
    for _ in ("once more from the ledger", "as it is"):
        page = await parts.queries.page(board_at(parts, period_id=WEEK), "", 10)
        assert [(line.rank, line.user_id) for line in page.lines] == [(1, "ann"), (2, "bob"), (2, "cid")]


async def test_what_was_brought_back_goes_by_itself(parts: Parts) -> None:
    await archived(parts)
    await listed(parts, period_id=DAY)
    for key in keys_of("global", DAY)[:2]:
        assert 0 < await parts.redis.call("TTL", key) <= 3600
    await parts.redis.call("DEL", *keys_of("global", DAY))
    assert await listed(parts, period_id=DAY) == STANDING[:3]


def dying(name: str) -> Script:
    """Return the script of that name, but for a server that dies before it calls the board complete."""
    if name == "complete":
        raise BoardsUnavailable("the server dies here")
    return script(name)


@pytest.mark.parametrize("policy", [TiePolicy.EARLIEST_FIRST, TiePolicy.DENSE])
async def test_what_comes_back_when_the_server_dies_over_it_goes_by_itself(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, policy: TiePolicy
) -> None:
    weekly = await parts.boards.board("global-weekly")
    await parts.boards.update(replace(weekly, tie_policy=policy), ["tie_policy"])
    await archived(parts)

    with monkeypatch.context() as patched:
        patched.setattr(archive, "script", dying)
        with pytest.raises(LaurelError) as refused:
            await listed(parts, period_id=WEEK)
    assert refused.value.reason is Reason.BOARDS_REBUILDING
    keys = await parts.redis.call("KEYS", f"*weekly:{WEEK}*")
    assert len(keys) == 2 + (policy is TiePolicy.DENSE)
    for key in keys:
        assert 0 < await parts.redis.call("TTL", key) <= 3600
    page = await parts.queries.page(board_at(parts, period_id=WEEK), "", 10)
    assert [line.user_id for line in page.lines] == ["ann", "bob", "cid"]


async def test_scores_that_come_back_when_the_server_dies_over_it_go_by_themselves(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await board(parts, reset_cron="0 0 * * 1")
    ann = await report(parts, "ann", 5, metadata={"car": "red"})
    assert parts.clock is not None
    await parts.clock.set(MONDAY + timedelta(days=14))
    await run_job(parts, "close_periods")
    race = ann.rank.board
    assert await parts.redis.call("EXISTS", *all_keys(race)) == 0

    with monkeypatch.context() as patched:
        patched.setattr(archive, "script", dying)
        with pytest.raises(LaurelError):
            await lines(parts, period_id=race.period_id)
    left = [key for key in all_keys(race) if await parts.redis.call("EXISTS", key)]
    assert left == [all_keys(race)[each] for each in (0, 1, 4)]
    for key in left:
        assert 0 < await parts.redis.call("TTL", key) <= 3600
    assert await lines(parts, period_id=race.period_id) == [(1, "ann", 5, 0)]


async def test_a_score_that_is_repeated_brings_nothing_back(parts: Parts) -> None:
    """A request id is known for longer than its board stays in Redis."""
    await board(parts, reset_cron="0 0 * * 1")
    ann = await report(parts, "ann", 5, request_id="once")
    assert parts.clock is not None
    await parts.clock.set(MONDAY + timedelta(days=1))
    again = await report(parts, "ann", 5, request_id="once")
    assert (again.replayed, again.rank_state, again.rank.rank) == (True, RankState.FRESH, 1)
    await parts.clock.set(MONDAY + timedelta(days=14))
    await run_job(parts, "close_periods")
    again = await report(parts, "ann", 5, request_id="once")
    assert (again.replayed, again.updated, again.rank_state) == (True, True, RankState.PENDING)
    assert (again.rank.board, again.rank.score) == (ann.rank.board, 5)
    assert await parts.redis.call("EXISTS", *all_keys(ann.rank.board)) == 0


async def test_repair_brings_nothing_back(parts: Parts) -> None:
    """A server that was away for weeks archives boards, and repeats what it had not confirmed before."""
    await archived(parts)
    lost = "UPDATE outbox SET projected = false, created_at = created_at - interval '1 minute'"
    await parts.pool.execute(lost)

    async def is_repaired() -> bool:
        return bool(await parts.pool.fetchval("SELECT bool_and(projected) FROM outbox"))

    await until(is_repaired, "repair does it")
    for key in [key for each in (DAY, WEEK) for key in await parts.redis.call("KEYS", f"*{each}*")]:
        assert key.endswith(b":gone")  # who has left, for as long as an old write may be on its way
        assert 0 < await parts.redis.call("TTL", key) <= 30


async def test_awards_and_other_boards_do_not_touch_it(parts: Parts) -> None:
    await archived(parts)
    before = await listed(parts, period_id=WEEK)
    await give(parts, "bob", 500, occurred_at=MONDAY - timedelta(minutes=1))
    await parts.maintenance.rebuild(None)
    assert await listed(parts, period_id=WEEK) == before


@pytest.mark.parametrize("before", [1, 3])
async def test_another_layout_leaves_nothing_of_what_the_archive_was_about_to_drop(
    parts: Parts, before: int
) -> None:
    weekly = await parts.boards.board("country-weekly")
    weekly = await parts.boards.update(replace(weekly, slots=before), ["slots"])
    for name, points in STANDING:
        await parts.profiles.upsert([User(name, country="US")])
        await give(parts, name, points)
    assert parts.clock is not None
    await parts.clock.set(MONDAY + timedelta(days=14))

    async def cut(step: str) -> None:
        if step == "archived":
            raise Cut

    close = PeriodClose(
        parts.pool, parts.redis, parts.rule_book, parts.awards, parts.badges, parts.clock, cut
    )
    with pytest.raises(Cut):
        await close.run(lambda _closed: None)
    week_of_country = f"*country:US:weekly:{WEEK}*"
    assert await parts.redis.call("KEYS", week_of_country)
    await parts.boards.update(replace(weekly, slots=2), ["slots"])
    await parts.boards._remains.clear()
    assert (await run_job(parts, "close_periods"))["archived"] > 0
    assert await parts.redis.call("KEYS", week_of_country) == []
    assert await listed(parts, "country:US", WEEK) == STANDING
    assert await wrongs(parts) == []
