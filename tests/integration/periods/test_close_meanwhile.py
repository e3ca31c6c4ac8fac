"""What happens to users and boards while a period is being closed."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from laurel_server.domain.boards import BoardKey, WinnerBonus
from laurel_server.domain.closing import PeriodState
from laurel_server.domain.errors import Reason
from laurel_server.domain.ledger import User
from laurel_server.domain.people import Order
from laurel_server.domain.periods import parse_period_id
from laurel_server.periods.close import PeriodClose
from laurel_server.periods.freeze import freeze
from laurel_server.postgres import ledger
from laurel_server.runtime.wiring import Parts
from tests.integration.periods.test_prizes import configure
from tests.integration.wired import DAY_CLOSES, WEEK, board_at, entries_of, give, running, wrongs

CLOSED = datetime(2026, 11, 30, 1, tzinfo=UTC)
FRANCE = BoardKey("country:FR", WEEK)


async def close_and(parts: Parts, step: str, act: Callable[[], Awaitable[None]]) -> dict[str, int]:
    """Close what is due, and have something done once after a step."""
    left = [act]

    async def reached(name: str) -> None:
        if name == step and left:
            await left.pop()()

    awards, badges, clock = parts.awards, parts.badges, parts.business_clock
    closing = PeriodClose(parts.pool, parts.redis, parts.rule_book, awards, badges, clock, reached)
    return await closing.run(lambda _closed: None)


async def play(parts: Parts, best: int = 30) -> None:
    """Have three users in the week, whose days are closed, and come to when it is to be closed too."""
    await configure(parts, "global-daily", winner_bonuses=())
    for name, points in (("ann", best), ("bob", 20), ("cid", 10)):
        await give(parts, name, points)
    assert parts.clock is not None
    await parts.clock.set(DAY_CLOSES)
    await close_and(parts, "closing", nothing)
    await parts.clock.set(CLOSED)


async def told(parts: Parts) -> list[str]:
    """Return whose prizes the outbox tells of."""
    rows = await parts.pool.fetch(
        "SELECT user_id, body ->> 'transaction_id' AS entry FROM events WHERE type = 'period.won'"
    )
    assert "0" not in {row["entry"] for row in rows}
    return sorted(row["user_id"] for row in rows)


async def refusals(parts: Parts) -> list[str]:
    rows = await parts.pool.fetch("SELECT refusal FROM period_winners WHERE refusal IS NOT NULL")
    return [row["refusal"] for row in rows]


@pytest.mark.parametrize(
    ("step", "points"), [("snapshot", [30]), ("paid", [30, 1000])], ids=["before", "after"]
)
async def test_nobody_is_paid_in_the_place_of_who_is_erased(
    parts: Parts, step: str, points: list[int]
) -> None:
    await play(parts)

    async def erase() -> None:
        await parts.people.erase(Order("ann", "erase", b"erase".ljust(16), b"", "tests"))
        await parts.profiles.upsert([User("ann")])

    await close_and(parts, step, erase)
    rows = await parts.pool.fetch(
        "SELECT points FROM reward_transactions WHERE user_no = 1 ORDER BY transaction_id"
    )
    assert [row["points"] for row in rows] == points
    assert await entries_of(parts, "ann") == []
    assert await refusals(parts) == ([Reason.USER_NOT_FOUND] if step == "snapshot" else [])
    assert await told(parts) == ["bob", "cid"]
    assert [await entries_of(parts, name) for name in ("bob", "cid")] == [[20, 500], [10, 250]]
    assert await wrongs(parts) == []


async def test_a_prize_that_is_refused_is_not_told(parts: Parts) -> None:
    await play(parts, best=(1 << 53) - 1)
    await close_and(parts, "closing", nothing)
    assert await refusals(parts) == [Reason.SCORE_OUT_OF_RANGE]
    assert await told(parts) == ["bob", "cid"]
    assert len(await entries_of(parts, "ann")) == 1


async def nothing() -> None:
    pass


async def move_to_france(parts: Parts) -> None:
    """Move a user as a server does whose clock is behind."""
    await parts.pool.execute("UPDATE users SET country = 'FR' WHERE user_id = 'ann'")
    async with parts.pool.acquire() as connection:
        await ledger.register_boards(connection, {FRANCE: parse_period_id(WEEK, UTC)})


async def test_a_board_that_a_move_begins_while_others_are_frozen_has_winners_too(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await configure(parts, "country-weekly", winner_bonuses=(WinnerBonus(1, 70),))
    await play(parts)

    async def moved_first(*args: Any) -> int:
        await move_to_france(parts)
        return await freeze(*args)

    monkeypatch.setattr("laurel_server.periods.close.freeze", moved_first)
    await close_and(parts, "closing", nothing)
    summary = await parts.periods.period(board_at(parts, *FRANCE))
    assert (summary.state, summary.participants) == (PeriodState.COMPLETED, 1)
    assert [(winner.user_id, winner.bonus_points) for winner in summary.winners] == [("ann", 70)]
    assert await wrongs(parts) == []


async def test_a_board_that_begins_later_is_closed_by_the_next_run(parts: Parts) -> None:
    await play(parts)

    async def begin() -> None:
        await move_to_france(parts)

    first = await close_and(parts, "paid", begin)
    state = "SELECT state FROM leaderboard_periods WHERE scope = 'country:FR' AND period_id = $1"
    assert await parts.pool.fetchval(state, WEEK) < PeriodState.COMPLETED
    assert await close_and(parts, "closing", nothing) == {"closed": 1, "paid": 0, "archived": 0}
    assert first["closed"] > 1
    assert await parts.pool.fetchval(state, WEEK) == PeriodState.COMPLETED
    kept = "SELECT participants FROM leaderboard_snapshots WHERE scope = 'country:FR' AND period_id = $1"
    assert await parts.pool.fetchval(kept, WEEK) == 0


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
async def test_a_board_that_a_move_begins_ends_by_the_calendar_of_the_program(
    ledger_dsn: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("LAUREL_PROGRAM_TIME_ZONE", zone)
    async with running(ledger_dsn, redis_url) as parts:
        await give(parts, "ann", 30)
        await parts.profiles.upsert([User("ann", country="FR")])
        rows = await parts.pool.fetch(
            "SELECT scope, starts_at, ends_at FROM leaderboard_periods WHERE period_id = $1", WEEK
        )
        assert FRANCE.scope in {row["scope"] for row in rows}
        assert len({(row["starts_at"], row["ends_at"]) for row in rows}) == 1
