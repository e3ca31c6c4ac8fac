"""Ranks of a day, written some at a time: cut, overtaken, beside awards, and on boards that go meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from functools import partial
from typing import Any, cast

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.closing import Terms
from laurel_server.domain.ledger import User
from laurel_server.domain.rank_history import DayEnd
from laurel_server.periods.ranks import RankHistory
from laurel_server.postgres import rank_history
from laurel_server.postgres.facts import scan_ranks
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.runtime.config_outside import Events
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import report
from tests.integration.leaderboards.test_administration import request
from tests.integration.leaderboards.test_forgetting import are_gone
from tests.integration.periods.cuts import Cut, CuttingPool
from tests.integration.wired import DAY, START, board_at, give, run_job, running, until, wrongs

TODAY = START.date()
NAMES = ("ann", "bob", "far")
RACE = BoardConfig("race", BoardKind.SCORES, "race", reset_cron="0 0 * * *")
BOARDS = (BoardKey("global", DAY), BoardKey("global", "all"), BoardKey("country:US", "all"))

Standing = dict[str, tuple[int, int, int]]
"""Rank, score and total of each user."""


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every row written, told and deleted by itself."""
    monkeypatch.setattr(rank_history, "ROWS_KEPT_AT_ONCE", 1)
    monkeypatch.setattr(rank_history, "DAYS_TOLD_AT_ONCE", 1)
    monkeypatch.setattr(rank_history, "ROWS_AT_ONCE", 1)


async def play(parts: Parts) -> None:
    """Have three users on each board, one of whom is far from the others, so that a board has two rows."""
    await parts.boards.create(RACE, request())
    for points, name in enumerate(NAMES, start=1):
        if name == "far":
            await parts.pool.execute("SELECT setval('user_no_seq', 5000)")
        await parts.profiles.upsert([User(name, country="US")])
        await give(parts, name, points)
        await report(parts, name, points)


async def leave_out(parts: Parts, *board_ids: str) -> None:
    """Have fewer boards, and so fewer pieces, where much is done for each of them."""
    for board_id in board_ids:
        await parts.boards.delete(board_id, request())


async def take(parts: Parts, ledger: object = None) -> None:
    assert parts.clock is not None
    pool = cast("Pool", ledger or parts.pool)
    ranks = RankHistory(pool, parts.queries, parts.rule_book, parts.clock, UTC)
    await ranks.take(lambda _lines: None)


async def told(parts: Parts, key: BoardKey) -> Standing:
    """Return what is told of today; the movement must go by the same."""
    board = board_at(parts, *key)
    points = {
        name: await parts.ranks.points(board, name, (None, None), 0, 9, all_periods=False) for name in NAMES
    }
    numbers = {name: await rank_history.user_number(parts.pool, name) for name in NAMES}
    scope, kind = key.scope, board.period.type
    for name, number in numbers.items():
        assert number is not None
        by_day = await rank_history.ranks_on(parts.pool, scope, kind, key.period_id, number, [TODAY])
        assert list(by_day.values()) == [each.rank for each in points[name]]
    return {name: (each.rank, each.score, each.total) for name in NAMES for each in points[name]}


async def present(parts: Parts, key: BoardKey) -> Standing:
    page = await parts.queries.page(board_at(parts, *key), "", 9)
    return {line.user_id: (line.rank, line.score, page.total) for line in page.lines}


async def rows(parts: Parts) -> int:
    return cast("int", await parts.pool.fetchval("SELECT count(*) FROM rank_history"))


def between_pieces(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[None]]) -> None:
    """Have something done before each piece is written."""

    @asynccontextmanager
    async def resting() -> AsyncIterator[None]:
        await act()
        yield

    monkeypatch.setattr(rank_history, "resting", resting)


async def no_rest() -> None:
    """Nobody is to be left the ledger for."""


def once(act: Callable[[], Awaitable[None]], piece: int = 2) -> Callable[[], Awaitable[None]]:
    """Return what acts before that piece alone."""
    left = piece

    async def act_once() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            await act()

    return act_once


async def test_a_day_is_told_whole_wherever_the_taking_of_it_is_cut(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    between_pieces(monkeypatch, no_rest)
    await leave_out(parts, "global-weekly", "global-monthly", "country-weekly", "tier-weekly", "tier-all")
    await play(parts)
    cut_before, seen = 0, set()
    was_cut, now = True, dict.fromkeys(BOARDS, Standing())
    before = now
    while was_cut:
        cut_before += 1
        await give(parts, NAMES[cut_before % 2], 5)
        now = {key: await present(parts, key) for key in BOARDS}
        pool = CuttingPool(parts.pool, cut_before)
        with suppress(Cut):
            await take(parts, pool)
        was_cut = pool.is_spent
        after = {key: await told(parts, key) for key in BOARDS}
        for key in BOARDS:
            assert after[key] in (before[key], now[key]), (cut_before, key)
            seen.add((key, after[key] == now[key]))
        before = after
        facts = [tuple(row)[:4] async for some in scan_ranks(parts.pool, None, START) for row in some]
        assert len(facts) == len(set(facts))
    assert cut_before > 50
    assert seen == {(key, is_told) for key in BOARDS for is_told in (False, True)}
    assert before == now
    left = await rows(parts)
    await take(parts)
    assert await rows(parts) == left  # the whole of one, and nothing of those that were cut
    assert not await parts.pool.fetchval(
        "SELECT count(*) FROM rank_history h WHERE NOT EXISTS (SELECT FROM rank_days d WHERE d.take_no = h.take_no"
        " AND d.scope = h.scope AND d.period_id = h.period_id AND d.taken_on = h.taken_on)"
    )


async def test_of_two_at_a_time_the_later_one_holds(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    await play(parts)

    async def overtake() -> None:
        await give(parts, "ann", 50)
        await take(parts)

    between_pieces(monkeypatch, once(overtake))
    await take(parts)
    for key in BOARDS:
        assert await told(parts, key) == await present(parts, key)
    left = await rows(parts)
    await take(parts)
    assert await rows(parts) == left


@pytest.mark.parametrize("is_created_again", [True, False])
@pytest.mark.parametrize(("board_id", "scope"), [("global-daily", "global"), ("race", "race")])
async def test_a_board_that_is_deleted_meanwhile_gets_no_ranks(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, board_id: str, scope: str, *, is_created_again: bool
) -> None:
    await play(parts)
    await take(parts)
    config = await parts.boards.board(board_id)
    period_id = DAY if scope == "global" else "2026-11-25T00:00Z"
    pieces_of_board = 0

    async def delete() -> None:
        nonlocal pieces_of_board
        pieces_of_board = await parts.pool.fetchval(
            "SELECT count(*) FROM rank_history WHERE scope = $1 AND period_id = $2", scope, period_id
        )
        if pieces_of_board != 3:  # two that are told, and the first of two that follow
            return
        await parts.boards.delete(board_id, request())
        await until(partial(are_gone, parts, scope), "nothing is left")
        if is_created_again:
            await parts.boards.create(config, request())
            await report(parts, "ann", 1)
            await give(parts, "ann", 1)

    between_pieces(monkeypatch, delete)
    await take(parts)
    monkeypatch.undo()
    assert await are_gone(parts, scope) is not is_created_again
    of_board = "WHERE scope = $1 AND period_id = $2"
    for table in ("rank_days", "rank_history"):
        found = await parts.pool.fetchval(f"SELECT count(*) FROM {table} {of_board}", scope, period_id)
        assert (table, found) == (table, 0)
    assert await told(parts, BOARDS[1]) == await present(parts, BOARDS[1])
    assert await wrongs(parts) == []


async def test_the_lines_of_a_board_go_with_it_while_a_piece_is_written(parts: Parts) -> None:
    await play(parts)
    (instance,) = [
        each for each in await rank_history.boards_since(parts.pool, START) if each.board == BOARDS[0]
    ]
    pieces = rank_history.Take(1, DAY, {"global": instance.number}, [DayEnd(TODAY, START)])
    row = {"scope": "global", "shard": 0, "total": 1, "user_nos": "{1}", "ranks": "{1}", "scores": "{1}"}
    async with parts.pool.acquire() as job, job.transaction():
        await rank_history._keep(job, pieces, [row])  # type: ignore[list-item]
        await parts.boards.delete("global-daily", request())
    await until(partial(are_gone, parts, "global"), "nothing is left")


async def test_awards_events_and_their_consumers_go_on_meanwhile(
    ledger_dsn: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(ledger_dsn, redis_url, events=Events()) as parts:
        await leave_out(parts, "global-weekly", "global-all", "country-weekly", "country-all", "tier-weekly")
        await play(parts)
        pieces = 0

        async def award() -> None:
            nonlocal pieces
            pieces += 1
            await give(parts, user := f"milestone-{pieces}", 1000)
            told_of = "SELECT EXISTS (SELECT FROM notifications WHERE user_id = $1)"

            async def is_told() -> bool:
                return bool(await parts.pool.fetchval(told_of, user))

            await until(is_told, "an event of what happens meanwhile")
            passed = "SELECT max(xid) < pg_snapshot_xmin(pg_current_snapshot()) FROM outbox"

            async def has_passed() -> bool:
                return bool(await parts.pool.fetchval(passed))

            await until(has_passed, "no transaction from before it runs", pause=0.005)

        between_pieces(monkeypatch, award)
        counts = await run_job(parts, "snapshot_ranks")
        assert pieces > 10
        assert await told(parts, BoardKey("global", "2026-11")) == {
            "far": (1, 3, 3),
            "bob": (2, 2, 3),
            "ann": (3, 1, 3),
        }
        assert counts["days"] == 1


class LosingPool:
    """Loses its connection just when it is to be cleaned up; `fails_with` is what keeps the ranks from being taken."""

    def __init__(self, pool: Pool, fails_with: BaseException | None) -> None:
        self._pool = pool
        self._fails_with = fails_with

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["LosingPool._Connection"]:
        async with self._pool.acquire() as connection:
            yield self._Connection(connection, self._pool, self._fails_with)

    class _Connection:
        def __init__(self, connection: Connection, pool: Pool, fails_with: BaseException | None) -> None:
            self._connection = connection
            self._pool = pool
            self._fails_with = fails_with

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        async def execute(self, statement: str, *args: Any, **options: Any) -> str:
            if "DECLARE ranks_taken" in statement and self._fails_with is not None:
                raise self._fails_with
            if statement.startswith(("ROLLBACK", "CLOSE")):
                pid = self._connection.get_server_pid()
                assert await self._pool.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
            return await self._connection.execute(statement, *args, **options)


@pytest.mark.parametrize("fault", [asyncio.CancelledError, ValueError])
@pytest.mark.parametrize("is_worked_out", [False, True])
async def test_what_has_happened_is_told_though_the_connection_is_lost_then(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, fault: type[BaseException], *, is_worked_out: bool
) -> None:
    await play(parts)

    async def fail() -> None:
        raise fault

    between_pieces(monkeypatch, fail)
    with pytest.raises(fault):
        await take(parts, LosingPool(parts.pool, None if is_worked_out else fault()))
    monkeypatch.undo()
    await take(parts)
    for key in BOARDS:
        assert await told(parts, key) == await present(parts, key)


async def test_a_connection_that_is_lost_when_all_is_written_takes_nothing_back(parts: Parts) -> None:
    await play(parts)
    instances = await rank_history.boards_since(parts.pool, START)
    global_ = [each for each in instances if each.board == BOARDS[1]]
    pool = cast("Pool", LosingPool(parts.pool, None))
    assert await rank_history.take_ranks(pool, {global_[0]: Terms()}, [DayEnd(TODAY, START)]) == len(NAMES)
    assert await told(parts, BOARDS[1]) == await present(parts, BOARDS[1])
