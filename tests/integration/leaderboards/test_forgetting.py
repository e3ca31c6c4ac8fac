"""What boards that are deleted had: gone for everybody at once, and cleared away some at a time while awards go on."""

import re
from datetime import timedelta
from functools import partial

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import WinnerBonus
from laurel_server.domain.closing import NO_SNAPSHOT
from laurel_server.domain.errors import Reason
from laurel_server.domain.ledger import User
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.views import Board
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.periods.close import PeriodClose
from laurel_server.postgres import boards as board_rows
from laurel_server.postgres import closing, scores, standings
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import report
from tests.integration.leaderboards.test_administration import refusal, request
from tests.integration.wired import (
    DAY,
    START,
    WEEK,
    board_at,
    entries_of,
    give,
    listed,
    run_job,
    until,
    wrongs,
)

RACE = BoardConfig(
    "race",
    BoardKind.SCORES,
    "race",
    reset_cron="0 0 * * *",
    winner_bonuses=(WinnerBonus(1, 9), WinnerBonus(2, 7)),
)
DAILY = "global-daily"
OF_ONE_COUNTRY = BoardConfig("us", BoardKind.POINTS, "country:US", PeriodType.WEEKLY)
FIRST_RACE = "2026-11-25T00:00Z"
LONG_AFTER, LATER, GRACE = timedelta(days=20), timedelta(days=21), timedelta(hours=1)
DAYS = re.compile(r"^\d{4}-\d\d-\d\d")
TABLES = ("leaderboard_periods", "leaderboard_snapshots", "period_winners", "rank_history", "rank_days")
BOTH = pytest.mark.parametrize(("board_id", "scope"), [(DAILY, "global"), ("race", "race")])


async def play(parts: Parts) -> None:
    """Have boards with an archived, a completed, a closing and a running period."""
    assert parts.clock is not None
    await parts.boards.create(RACE, request())
    for moment in (START, START + LONG_AFTER - timedelta(days=1), START + LONG_AFTER, START + LATER):
        await parts.clock.set(moment)
        for name, points in (("ann", 10), ("bob", 5)):
            await parts.profiles.upsert([User(name, country="US")])
            await give(parts, name, points)
            await report(parts, name, points)
        await run_job(parts, "snapshot_ranks")
        await run_job(parts, "close_periods")
    await parts.clock.set(
        START.replace(hour=2) + LATER + timedelta(days=1)
    )  # the last but one is to be closed
    await closing.begin_closing(parts.pool, parts.clock.now())
    for name in ("ann", "bob"):
        await give(parts, name, 1)
        await report(parts, name, 1)


async def rows_of(parts: Parts, scope: str) -> dict[str, int]:
    """Return what there is of daily periods of a scope, by table."""
    daily = "scope = $1 AND period_id ~ $2"
    return {
        table: await parts.pool.fetchval(f"SELECT count(*) FROM {table} WHERE {daily}", scope, DAYS.pattern)
        for table in TABLES
    }


async def are_gone(parts: Parts, scope: str) -> bool:
    return not any((await rows_of(parts, scope)).values())


def keep_keys(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be cleared away, as if Redis were away, until the patch is undone."""

    async def away(*_: object) -> None:
        raise BoardsUnavailable("away")

    monkeypatch.setattr(parts.maintenance.rebuilder, "forget", away)


async def instance(parts: Parts, scope: str, period_id: str = "") -> Board:
    kind = PeriodType.DAILY if scope == "global" and not period_id else None
    return await parts.queries.find(scope, kind, period_id)


async def is_new(parts: Parts, scope: str, period_id: str) -> None:
    """Check that a board has nothing of the one that was there before."""
    current, past = await instance(parts, scope), await instance(parts, scope, period_id)
    known = await parts.periods.periods(scope, current.period.type, None, 100)
    assert [each.board for each in known] == [current.key]
    assert await parts.ranks.points(current, "ann", (None, None), 0, 100, all_periods=True) == []
    assert await listed(parts, scope, period_id) == []
    summary = await parts.periods.period(past)
    assert (summary.participants, summary.winners) == (0, ())
    assert await parts.periods.snapshot(past, 0, 10) == NO_SNAPSHOT


@BOTH
async def test_all_that_hangs_on_a_board_goes_with_it_some_at_a_time(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, board_id: str, scope: str
) -> None:
    await play(parts)
    monkeypatch.setattr(board_rows, "RANK_ROWS_AT_ONCE", 1)
    monkeypatch.setattr(board_rows, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr("laurel_server.leaderboards.remains.PERIODS_AT_ONCE", 2)
    assert min((await rows_of(parts, scope)).values()) >= 3
    entries = await entries_of(parts, "ann")
    await parts.boards.delete(board_id, request())
    await until(partial(are_gone, parts, scope), "nothing is left")
    assert await entries_of(parts, "ann") == entries
    assert await wrongs(parts) == []


@BOTH
async def test_nobody_sees_anything_of_a_board_that_is_not_cleared_away_yet(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, board_id: str, scope: str
) -> None:
    await play(parts)
    config, before = await parts.boards.board(board_id), await rows_of(parts, scope)
    archived, now = await instance(parts, scope, DAY if scope == "global" else FIRST_RACE), parts.clock
    assert len(await listed(parts, *archived.key)) == 2  # back in Redis for a while
    assert now is not None
    keep_keys(parts, monkeypatch)
    await parts.boards.delete(board_id, request())
    assert await rows_of(parts, scope) == before
    past = await parts.periods.period(archived)  # as a server asks that has not heard of it yet
    assert (past.participants, past.winners) == (0, ())
    assert await parts.periods.snapshot(archived, 0, 10) == NO_SNAPSHOT
    known = [*await standings.registered_boards(parts.pool), *await scores.instances(parts.pool)]
    assert not [each for each in known if each.scope == scope and DAYS.match(each.period_id)]
    assert archived.key.scope not in {
        board.scope for board in await closing.boards_ended(parts.pool, now.now().replace(hour=0))
    }
    again = request()
    assert await refusal(parts.boards.create(config, again)) is Reason.BOARDS_REBUILDING
    monkeypatch.undo()
    await parts.boards.create(config, again)
    await is_new(parts, *archived.key)
    assert await wrongs(parts) == []


@BOTH
@pytest.mark.parametrize("is_cleared", [True, False])
@pytest.mark.parametrize("step", ["closing", "sealed", "snapshot", "paid"])
async def test_a_board_that_is_deleted_while_its_period_closes_pays_nobody_twice(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, board_id: str, scope: str, step: str, *, is_cleared: bool
) -> None:
    assert parts.clock is not None
    await parts.boards.create(RACE, request())
    for name, points in (("ann", 10), ("bob", 5)):
        await give(parts, name, points)
        await report(parts, name, points)
    config, steps = await parts.boards.board(board_id), [step]
    await parts.clock.set(START.replace(hour=0) + timedelta(days=1) + GRACE)

    async def delete(at: str) -> None:
        if at in steps:
            steps.clear()
            if not is_cleared:
                keep_keys(parts, monkeypatch)
            await parts.boards.delete(board_id, request())

    close = PeriodClose(
        parts.pool, parts.redis, parts.rule_book, parts.awards, parts.badges, parts.clock, delete
    )
    await close.run(lambda _closed: None)
    assert not steps
    monkeypatch.undo()
    if is_cleared:
        await until(partial(are_gone, parts, scope), "nothing is left")
    await parts.boards.create(config, request())  # which clears away what is left
    await run_job(parts, "close_periods")
    await is_new(parts, scope, DAY if scope == "global" else FIRST_RACE)
    others, own = (9, 100) if scope == "global" else (100, 9)
    paid = await entries_of(parts, "ann")
    assert (paid.count(others), paid.count(own)) in {(1, 0), (1, 1)}
    assert (step != "paid" or scope != "global") or paid.count(own) == 1
    assert await wrongs(parts) == []


async def test_a_repeated_delete_leaves_a_board_that_was_created_since(parts: Parts) -> None:
    await play(parts)
    config, again = await parts.boards.board(DAILY), request()
    await parts.boards.delete(DAILY, again)
    await parts.boards.create(config, request())
    for _ in ("the end of yesterday", "today as it is"):
        await run_job(parts, "snapshot_ranks")
    before = await rows_of(parts, "global")
    assert before["rank_history"] > 0
    await parts.boards.delete(DAILY, again)
    assert await rows_of(parts, "global") == before


async def test_a_family_keeps_the_past_of_a_board_that_was_for_itself(parts: Parts) -> None:
    await play(parts)
    past = board_at(parts, "country:US", WEEK)
    before, standing = await parts.periods.period(past), await listed(parts, "country:US", WEEK)
    await parts.boards.create(OF_ONE_COUNTRY, request())
    await parts.boards.delete("us", request())
    await parts.boards._remains.clear()
    assert await parts.periods.period(past) == before
    assert await listed(parts, "country:US", WEEK) == standing != []
    assert await parts.ranks.points(past, "ann", (None, None), 0, 100, all_periods=False) != []
    assert await wrongs(parts) == []


async def test_periods_that_somebody_registers_after_a_board_is_gone_are_none_of_a_new_one(
    parts: Parts,
) -> None:
    await parts.pool.execute(
        "INSERT INTO leaderboard_periods (scope, period_id, period_type) VALUES ('segment:vip', 'all', 6);"
        "INSERT INTO leaderboard_snapshots VALUES ('segment:vip', 'all', 1, 1, 1, 1, '{1}', '{1}', '{1}', now())"
    )
    await parts.boards.create(
        BoardConfig("segments", BoardKind.POINTS, "segment:*", PeriodType.ALL_TIME), request()
    )
    assert not await parts.pool.fetchval("SELECT count(*) FROM leaderboard_snapshots")
    assert await listed(parts, "segment:vip") == []
