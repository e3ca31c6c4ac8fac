"""A server process without its transport, on real engines, and what tests do with it."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.jobs import JobState, RunRequest
from laurel_server.domain.tiers import Tier
from laurel_server.domain.views import Board
from laurel_server.leaderboards import repair
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.standings import watermark
from laurel_server.redis.keys import CANARY, board_keys
from laurel_server.runtime.config import Settings
from laurel_server.runtime.config_outside import Analytics, Events, Notifications
from laurel_server.runtime.config_program import Boards, Jobs, Ledger, Repair, Sandbox, Tiers
from laurel_server.runtime.endings import end_all
from laurel_server.runtime.wiring import Parts, wire

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""A Wednesday of week 2026-W48, where the test clock stands at first."""

DAY, WEEK, MONTH, ALL = "2026-11-25", "2026-W48", "2026-11", "all"

DAY_CLOSES = datetime(2026, 11, 26, 1, tzinfo=UTC)
"""When late awards count no longer for the day at which the test clock stands at first."""

_numbers = count()


@asynccontextmanager
async def running(
    dsn: str,
    redis_url: str,
    *,
    now: datetime | None = START,
    ledger: Ledger | None = None,
    budget_ms: float = 10_000,
    read_timeout_ms: float = 10_000,
    jobs: bool = False,
    events: Events | None = None,
    analytics: Analytics | None = None,
    notifications: Notifications | None = None,
    tiers: Tiers | None = None,
    redis_cluster: bool = False,
) -> AsyncIterator[Parts]:
    """Run all parts of a server; times are generous, so that a busy machine makes no award PENDING and no read fail.

    `jobs`: those that are due run, and before `parts.clock.set` returns. Without `events` no consumer gives badges or
    makes notifications behind the back of a test.
    """
    settings = Settings(
        sandbox=Sandbox(enabled=True, now=now),
        repair=Repair(interval_ms=100),
        boards=Boards(
            project_budget_ms=budget_ms, read_timeout_ms=read_timeout_ms, redis_cluster=redis_cluster
        ),
        ledger=ledger or Ledger(pool_min=1),
        jobs=Jobs(scheduled=jobs),
        events=events or Events(consumers="off"),
        analytics=analytics or Analytics(),
        notifications=notifications or Notifications(),
        tiers=tiers or Tiers(),
    )
    parts = await wire(settings, dsn, redis_url)
    parts.awards.start()
    parts.scores.start()
    parts.hub.start()
    loops = [asyncio.create_task(loop) for loop in parts.loops]
    try:
        await _teach(parts)
        await _settle(parts)
        yield parts
    finally:
        await _close(parts, loops)


async def _teach(parts: Parts) -> None:
    """Add an action that gives what its attribute says, whatever the tier."""
    await parts.rule_book.put_action(gift("GIVE"), "tests")


async def _settle(parts: Parts) -> None:
    """Wait for the first round of repair, which empties a new Redis, or one that another server has not finished with.

    After it the canaries are where the boards are; if they are there already, it does neither.
    """
    names = await parts.redis.node_keys(CANARY)

    async def are_where_the_boards_are() -> bool:
        found = [await parts.redis.call("GET", name) for name in names]
        last = await watermark(parts.pool)
        return all(each is not None and int(each) == last for each in found)

    await until(are_where_the_boards_are, "the first round of repair", pause=0.005)


async def rest_repair(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let repair rest from now on, after the round that it may be in."""
    rests = asyncio.Event()

    async def nobody_leads() -> bool:
        task = asyncio.current_task()
        coroutine = task.get_coro() if task else None
        if getattr(coroutine, "__qualname__", "") == repair.Repair.run.__qualname__:
            rests.set()
        return False

    monkeypatch.setattr(parts.leadership, "held", nobody_leads)
    await rests.wait()


def gift(action: str, **changes: Any) -> ActionConfig:
    """Return an action that gives `points`, by attribute, multiplied by no tier."""
    plain = dict.fromkeys(Tier, Decimal(1))
    return ActionConfig(action, points_formula="points", tier_multipliers=plain, **changes)


async def _close(parts: Parts, loops: list[asyncio.Task[None]]) -> None:
    await parts.jobs.close()
    await parts.awards.close()
    await parts.scores.close()
    with suppress(*UNAVAILABLE):
        await parts.confirmations.flush()
    await parts.hub.stop()
    await end_all(loops)
    await parts.redis.close()
    with suppress(*UNAVAILABLE):
        await parts.leadership.close()
        await asyncio.wait_for(parts.pool.close(), 3)


def command(
    user_id: str,
    points: int = 10,
    *,
    request_id: str | None = None,
    action: str = "GIVE",
    attributes: Mapping[str, str] | None = None,
    **more: Any,
) -> AwardCommand:
    """Return an award with a request_id of its own; equal arguments are equal requests."""
    given = {"points": str(points)} if attributes is None else attributes
    body = repr((user_id, action, sorted(given.items()), sorted(more.items())))
    return AwardCommand(
        caller="shop",
        request_id=request_id or f"request-{next(_numbers)}",
        user_id=user_id,
        action=action,
        attributes=given,
        request_hash=hashlib.blake2b(body.encode(), digest_size=16).digest(),
        **more,
    )


async def give(parts: Parts, user_id: str, points: int = 10, **more: Any) -> AwardAnswer:
    """Award points to a user."""
    return await parts.awards.award(command(user_id, points, **more), None)


async def listed(parts: Parts, scope: str = "global", period_id: str = ALL) -> list[tuple[str, int]]:
    """Return the board, best first, as user ids and scores; checks that ranks count up from 1."""
    board = parts.queries.resolve(scope, None, period_id)
    lines: list[tuple[str, int]] = []
    after = ""
    while True:
        page = await parts.queries.page(board, after, 1000)
        assert [line.rank for line in page.lines] == list(
            range(len(lines) + 1, len(lines) + len(page.lines) + 1)
        )
        lines += [(line.user_id, line.score) for line in page.lines]
        after = page.marks[-1] if page.marks else ""
        if not page.has_more:
            assert page.total == len(lines)
            return lines


def board_at(parts: Parts, scope: str = "global", period_id: str = ALL) -> Board:
    """Return a board instance."""
    return parts.queries.resolve(scope, None, period_id)


def keys_of(scope: str = "global", period_id: str = ALL) -> tuple[str, str, str]:
    """Return the names of a board's keys in Redis."""
    return board_keys(BoardKey(scope, period_id))


async def until(
    condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 60, pause: float = 0.05
) -> None:
    """Wait until the condition holds, looking after each pause (seconds)."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(pause)


async def all_committed(parts: Parts) -> None:
    """Wait until nothing writes: what is committed is held back from some readers while older transactions run.

    The server has some of its own, such as those that note what is on the boards.
    """
    none_runs = "SELECT pg_snapshot_xmin(now) = pg_snapshot_xmax(now) FROM pg_current_snapshot() AS now"

    async def has_ended() -> bool:
        return bool(await parts.pool.fetchval(none_runs))

    await until(has_ended, "no transaction writes", pause=0.005)


async def wrongs(parts: Parts, scope: str = "") -> list[str]:
    """Return what the integrity check has found."""
    return [
        f"{check.name}: {check.detail}" for check in await parts.maintenance.verify(scope) if not check.ok
    ]


async def counts_of_tables(parts: Parts) -> dict[str, int]:
    """Return how many rows each table has, but for seals, which the server makes when it comes to it."""
    names = await parts.pool.fetch(
        "SELECT relname FROM pg_stat_user_tables WHERE relname <> 'ledger_seals' ORDER BY 1"
    )
    return {name: await parts.pool.fetchval(f'SELECT count(*) FROM "{name}"') for (name,) in names}


async def entries_of(parts: Parts, user_id: str) -> list[int]:
    """Return the points of the user's entries, oldest first."""
    rows = await parts.pool.fetch(
        "SELECT points FROM reward_transactions JOIN users USING (user_no) WHERE user_id = $1 ORDER BY transaction_id",
        user_id,
    )
    return [row["points"] for row in rows]


async def run_job(parts: Parts, job: str) -> dict[str, int]:
    """Run a job as an operator would, and return its counts."""
    number = next(_numbers)
    run, _ = await parts.jobs.run_now(job, RunRequest(number.to_bytes(16, "big"), b"", f"run-{number}"))
    assert run.state is JobState.SUCCEEDED, run.error
    return dict(run.counts)
