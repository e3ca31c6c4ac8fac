"""Who wins what on boards that operators have configured."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.awards import AwardCommand
from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import TiePolicy, WinnerBonus
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.ledger import User
from laurel_server.domain.periods import PeriodType
from laurel_server.postgres import badges
from laurel_server.postgres.badges import Holder
from laurel_server.postgres.pool import Pool
from laurel_server.runtime.wiring import Parts
from tests.integration.users.orders import order
from tests.integration.wired import board_at, command, entries_of, give, run_job, wrongs

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
CLOSED = MONDAY + timedelta(hours=1)
TIED = (("ann", 30), ("bob", 30), ("cid", 20), ("dot", 20), ("eve", 10))


async def close_at(parts: Parts, moment: datetime) -> dict[str, int]:
    assert parts.clock is not None
    await parts.clock.set(moment)
    return await run_job(parts, "close_periods")


async def configure(parts: Parts, board_id: str, **changes: object) -> None:
    config = await parts.boards.board(board_id)
    fields = {name: getattr(config, name) for name in config.__slots__} | changes
    await parts.boards.update(BoardConfig(**fields), list(changes))


async def bonuses(parts: Parts, action: str) -> dict[str, int]:
    rows = await parts.pool.fetch(
        "SELECT user_id, points FROM reward_transactions JOIN users USING (user_no) WHERE action = $1", action
    )
    return {row["user_id"]: row["points"] for row in rows}


async def test_who_comes_under_the_id_of_a_winner_that_is_just_erased_does_not_get_his_prize(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(parts, "ann", 30)
    await give(parts, "bob", 20)
    grant = parts.awards.grant

    async def erase_and_grant(commands: Sequence[AwardCommand]) -> Sequence[object]:
        monkeypatch.undo()
        await parts.people.erase(order("ann"))
        await give(parts, "ann", 1)
        return await grant(commands)

    monkeypatch.setattr(parts.awards, "grant", erase_and_grant)
    counts = await close_at(parts, CLOSED)
    assert (await bonuses(parts, "DAILY_WINNER")).keys() == {"bob"}
    prizes = "SELECT count(*) FROM reward_transactions WHERE action LIKE '%\\_WINNER'"
    assert counts["paid"] == await parts.pool.fetchval(prizes)
    assert await wrongs(parts) == []


async def test_who_comes_under_the_id_of_a_champion_that_is_just_erased_is_none(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(parts, "ann", 30)
    await give(parts, "bob", 20)
    read_holders = badges.read_holders

    async def erase_and_read(pool: Pool, user_ids: Collection[str]) -> list[Holder]:
        monkeypatch.undo()
        await parts.people.erase(order("ann"))
        await give(parts, "ann", 1)
        return await read_holders(pool, user_ids)

    monkeypatch.setattr(badges, "read_holders", erase_and_read)
    await close_at(parts, CLOSED)
    assert (
        await parts.pool.fetchval("SELECT count(*) FROM user_badges WHERE badge_type = 'DAILY_CHAMPION'") == 0
    )
    assert await wrongs(parts) == []


@pytest.mark.parametrize(
    ("policy", "paid", "ranks"),
    [
        (TiePolicy.EARLIEST_FIRST, {"ann": 1000, "bob": 500, "cid": 250}, [1, 2, 3, 4, 5]),
        (TiePolicy.COMPETITION, {"ann": 1000, "bob": 1000, "cid": 250, "dot": 250}, [1, 1, 3, 3, 5]),
        (
            TiePolicy.DENSE,
            {"ann": 1000, "bob": 1000, "cid": 500, "dot": 500, "eve": 250},
            [1, 1, 2, 2, 3],
        ),
    ],
)
async def test_everyone_at_a_rank_gets_its_bonus(
    parts: Parts, policy: TiePolicy, paid: dict[str, int], ranks: list[int]
) -> None:
    await configure(parts, "global-weekly", tie_policy=policy)
    for name, points in TIED:
        await give(parts, name, points)
    await close_at(parts, CLOSED)
    assert await bonuses(parts, "WEEKLY_WINNER") == paid
    board = board_at(parts, period_id="2026-W48")
    assert [line.rank for line in (await parts.periods.snapshot(board, 0, 10)).lines] == ranks
    summary = await parts.periods.period(board)
    assert {winner.user_id: winner.bonus_points for winner in summary.winners} == paid
    assert await wrongs(parts) == []


async def test_a_board_pays_what_it_was_told_to_when_it_was_frozen(parts: Parts) -> None:
    await configure(parts, "global-weekly", winner_bonuses=(WinnerBonus(2, 70),))
    for name, points in TIED:
        await give(parts, name, points)
    await close_at(parts, CLOSED)
    await configure(parts, "global-weekly", winner_bonuses=(WinnerBonus(1, 9),))
    await close_at(parts, CLOSED + timedelta(minutes=1))
    assert await bonuses(parts, "WEEKLY_WINNER") == {"bob": 70}


async def test_every_board_of_a_family_has_winners_of_its_own(parts: Parts) -> None:
    await configure(parts, "country-weekly", winner_bonuses=(WinnerBonus(1, 40),))
    await configure(parts, "global-weekly", winner_bonuses=())
    await parts.profiles.upsert(
        [User("ann", country="US"), User("bob", country="DE"), User("cid", country="US")]
    )
    for name, points in TIED[:3]:
        await give(parts, name, points)
    await close_at(parts, CLOSED)
    assert await bonuses(parts, "WEEKLY_WINNER") == {"ann": 40, "bob": 40}


async def test_a_period_without_an_action_of_its_own_is_paid_too(parts: Parts) -> None:
    quarterly = BoardConfig(
        "quarter", BoardKind.POINTS, "global", PeriodType.QUARTERLY, winner_bonuses=(WinnerBonus(1, 77),)
    )
    await parts.boards.create(quarterly, RequestKey("tests", "r", b"r"))
    await give(parts, "ann", 30)
    await close_at(parts, datetime(2027, 1, 1, 1, tzinfo=UTC))
    assert await bonuses(parts, "QUARTERLY_WINNER") == {"ann": 77}
    assert 77 in await entries_of(parts, "ann")
    assert await wrongs(parts) == []


async def test_a_tie_of_thousands_for_the_first_place_is_paid_once_each(parts: Parts) -> None:
    await configure(
        parts, "global-weekly", tie_policy=TiePolicy.COMPETITION, winner_bonuses=(WinnerBonus(1, 7),)
    )
    names = [f"user-{n}" for n in range(2500)]
    await parts.awards.award_batch([command(name, 10) for name in names], None)
    await close_at(parts, CLOSED)
    await close_at(parts, CLOSED)
    assert await bonuses(parts, "WEEKLY_WINNER") == dict.fromkeys(names, 7)
    paid = await parts.pool.fetchval(
        "SELECT count(*) FROM reward_transactions WHERE action = 'WEEKLY_WINNER'"
    )
    assert paid == 2500
    told = await parts.pool.fetch(
        "SELECT e ->> 'user_id' AS user_id, json_array_length(events) AS together"
        " FROM outbox, json_array_elements(events) AS e"
        " WHERE e ->> 'type' = 'period.won' AND e ->> 'period_id' = '2026-W48'"
    )
    assert sorted(row["user_id"] for row in told) == sorted(names)
    assert max(row["together"] for row in told) <= 1000
    summary = await parts.periods.period(board_at(parts, period_id="2026-W48"))
    assert (len(summary.winners), summary.participants) == (1000, 2500)
    assert len((await parts.periods.snapshot(board_at(parts, period_id="2026-W48"), 0, 1000)).lines) == 100


async def test_ranks_beyond_the_snapshot_win_too(parts: Parts) -> None:
    await configure(parts, "global-weekly", winner_bonuses=(WinnerBonus(102, 7),))
    await parts.awards.award_batch([command(f"user-{n}", 1000 - n) for n in range(103)], None)
    await close_at(parts, CLOSED)
    assert await bonuses(parts, "WEEKLY_WINNER") == {"user-101": 7}
