"""Score boards that reset: their periods end as those of points boards do."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.board_configs import ScoreOperator
from laurel_server.domain.boards import BoardKey, SortOrder, TiePolicy, Visibility, WinnerBonus
from laurel_server.domain.closing import PeriodState, PeriodSummary
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import Reason
from laurel_server.domain.people import Order
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.views import Board
from laurel_server.redis.keys import all_keys, slot_names
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, lines, refusal, report
from tests.integration.periods.test_close import state_of
from tests.integration.periods.test_close_meanwhile import close_and
from tests.integration.wired import entries_of, give, run_job, running, wrongs

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
GRACE = timedelta(hours=1)
WEEKLY, FIRST, SECOND = "0 0 * * 1", "2026-11-23T00:00Z", "2026-11-30T00:00Z"
BONUSES = (WinnerBonus(1, 90), WinnerBonus(2, 70))
LAPS = [("ann", 30), ("bob", 20), ("cid", 20), ("dot", -5)]
STANDING = [(rank, name, score, 0) for rank, (name, score) in enumerate(LAPS, start=1)]


async def go_to(parts: Parts, moment: datetime, job: str = "close_periods") -> dict[str, int]:
    assert parts.clock is not None
    await parts.clock.set(moment)
    return await run_job(parts, job)


async def race(parts: Parts, slots: int = 1) -> None:
    """Let four compete on a board that resets every Monday."""
    await board(parts, reset_cron=WEEKLY, winner_bonuses=BONUSES, slots=slots)
    for name, score in LAPS:
        await report(parts, name, score, metadata={"car": name.upper()})


async def periods(parts: Parts) -> list[PeriodSummary]:
    return list(await parts.periods.periods("race", PeriodType.ALL_TIME, None, 10))


def keys_of(board_key: BoardKey, slots: int) -> list[str]:
    return [key for slot in slot_names(slots) for key in all_keys(board_key, slot)]


def instance(parts: Parts, period_id: str = FIRST) -> Board:
    return parts.queries.resolve("race", None, period_id)


async def see(parts: Parts, user_id: str, visibility: Visibility) -> None:
    order = Order(user_id, f"see-{visibility}", bytes([visibility]) * 16, b"", "tests")
    await parts.people.set_visibility(order, visibility)


async def test_who_is_erased_leaves_an_archived_standing_that_was_read_just_before(parts: Parts) -> None:
    await race(parts)
    assert (await go_to(parts, MONDAY + timedelta(days=14)))["archived"] == 1
    assert await lines(parts, period_id=FIRST) == STANDING
    await parts.people.erase(Order("bob", "erase", b"erase".ljust(16), b"", "tests"))
    assert [name for _, name, _, _ in await lines(parts, period_id=FIRST)] == ["ann", "cid", "dot"]
    assert await wrongs(parts) == []


async def test_a_reset_period_goes_through_its_states_and_pays_once(parts: Parts) -> None:
    await race(parts)
    now = await parts.periods.period(instance(parts))
    assert (now.state, now.winners, now.participants) == (PeriodState.ACTIVE, (), 4)
    await go_to(parts, MONDAY)
    assert await state_of(parts, FIRST, "race") == PeriodState.CLOSING
    assert await refusal(report(parts, "bob", 99, period_id=FIRST)) is Reason.PERIOD_CLOSED
    await report(parts, "bob", 1)
    assert await go_to(parts, MONDAY + GRACE - timedelta(seconds=1)) == {
        "closed": 0,
        "paid": 0,
        "archived": 0,
    }
    for _ in range(2):
        await go_to(parts, MONDAY + GRACE)
    closed = await parts.periods.period(instance(parts))
    assert (closed.state, closed.participants) == (PeriodState.COMPLETED, 4)
    assert (closed.period.starts_at, closed.period.ends_at) == (MONDAY - timedelta(days=7), MONDAY)
    assert [
        (winner.rank, winner.user_id, winner.score, winner.bonus_points) for winner in closed.winners
    ] == [
        (1, "ann", 30, 90),
        (2, "bob", 20, 70),
    ]
    assert [await entries_of(parts, name) for name, _ in LAPS] == [[90], [70], [], []]
    entry = await parts.statement.transaction(closed.winners[0].transaction_id)
    assert (entry.action, entry.reference_id) == ("BOARD_WINNER", f"race/{FIRST}")
    assert entry.reason == f"Rank 1 of race, {FIRST}, with a score of 30"
    assert await lines(parts, period_id=FIRST) == STANDING
    assert await lines(parts) == [(1, "bob", 1, 0)]
    assert await wrongs(parts) == []


@pytest.mark.parametrize("slots", [1, 3])
async def test_its_periods_snapshot_and_ranks_are_read(parts: Parts, slots: int) -> None:
    await race(parts, slots)
    await go_to(parts, MONDAY - timedelta(minutes=10), "snapshot_ranks")
    assert await refusal(parts.periods.snapshot(instance(parts), 0, 10)) is Reason.PERIOD_NOT_FOUND
    await go_to(parts, MONDAY + GRACE)
    await report(parts, "dot", 7)
    await go_to(parts, MONDAY + timedelta(hours=23, minutes=50), "snapshot_ranks")
    listed = await periods(parts)
    assert [(each.board.period_id, each.state, each.participants) for each in listed] == [
        (SECOND, PeriodState.ACTIVE, 1),
        (FIRST, PeriodState.COMPLETED, 4),
    ]
    older = await parts.periods.periods("race", PeriodType.ALL_TIME, MONDAY, 10)
    assert [each.board.period_id for each in older] == [FIRST]
    snapshot = await parts.periods.snapshot(instance(parts), 0, 100)
    assert snapshot.statistics == (4, 65, 16.25, 20)
    assert [(line.rank, line.user_id, line.score) for line in snapshot.lines] == [
        (rank, name, score) for rank, name, score, _ in STANDING
    ]
    assert snapshot.lines[0].metadata == (("car", "ANN"),)
    points = await parts.ranks.points(instance(parts, ""), "dot", (None, None), 0, 10, all_periods=True)
    assert [(each.period_id, each.rank, each.score, each.total) for each in points] == [
        (FIRST, 4, -5, 4),
        (SECOND, 1, 7, 1),
    ]
    moved = await parts.ranks.movement(instance(parts, ""), "dot", all_periods=True)
    assert (moved.rank, moved.yesterday) == (1, 4)


@pytest.mark.parametrize("slots", [1, 3])
async def test_it_leaves_redis_and_comes_back_when_it_is_read(parts: Parts, slots: int) -> None:
    await race(parts, slots)
    await go_to(parts, MONDAY + GRACE)
    await go_to(parts, MONDAY + timedelta(days=14))
    keys = keys_of(instance(parts).key, slots)
    assert await state_of(parts, FIRST, "race") == PeriodState.ARCHIVED
    assert await parts.redis.call("EXISTS", *keys) == 0
    await see(parts, "ann", Visibility.HIDDEN)  # moves him on the boards that run, and no others
    await parts.maintenance.rebuild(None)
    assert await parts.redis.call("EXISTS", *keys) == 0
    assert await lines(parts, period_id=FIRST) == STANDING
    filled = [key for key in keys if await parts.redis.call("EXISTS", key)]
    assert filled
    assert all([0 < await parts.redis.call("TTL", key) <= 3600 for key in filled])
    assert await wrongs(parts) == []


async def test_a_frozen_standing_never_changes_but_by_erasure(parts: Parts) -> None:
    await race(parts)
    await see(parts, "cid", Visibility.HIDDEN)
    await go_to(parts, MONDAY + GRACE)
    final = [(1, "ann", 30, 0), (2, "bob", 20, 0), (3, "dot", -5, 0)]
    assert await lines(parts, period_id=FIRST) == final
    await see(parts, "cid", Visibility.PUBLIC)
    await see(parts, "ann", Visibility.HIDDEN)
    assert await lines(parts, period_id=FIRST) == final
    await parts.maintenance.rebuild(None)
    assert await lines(parts, period_id=FIRST) == final
    await parts.people.erase(Order("ann", "erase", b"erase".ljust(16), b"", "tests"))
    await parts.maintenance.rebuild(None)
    assert await lines(parts, period_id=FIRST) == [(1, "bob", 20, 0), (2, "dot", -5, 0)]
    snapshot = await parts.periods.snapshot(instance(parts), 0, 10)
    assert [(line.rank, line.user_id) for line in snapshot.lines] == [(2, "bob"), (3, "dot")]


@pytest.mark.parametrize("policy", TiePolicy)
@pytest.mark.parametrize("order", SortOrder)
async def test_the_snapshot_is_what_the_board_has_shown(
    parts: Parts, policy: TiePolicy, order: SortOrder
) -> None:
    await board(
        parts,
        reset_cron=WEEKLY,
        tie_policy=policy,
        sort_order=order,
        operator=ScoreOperator.LAST,
        winner_bonuses=BONUSES,
    )
    draw = random.Random(7)
    for n in range(60):
        await report(parts, f"user-{n % 40}", draw.randrange(-3, 4), draw.randrange(2))
    shown = await lines(parts)
    await go_to(parts, MONDAY - timedelta(minutes=10), "snapshot_ranks")
    await go_to(parts, MONDAY + GRACE)
    assert await lines(parts, period_id=FIRST) == shown
    snapshot = await parts.periods.snapshot(instance(parts), 0, 100)
    assert [(line.rank, line.user_id, line.score, line.sub_score) for line in snapshot.lines] == shown
    paid = {bonus.rank: bonus.points for bonus in BONUSES}
    winners = (await parts.periods.period(instance(parts))).winners
    assert {(each.rank, each.user_id, each.bonus_points) for each in winners} == {
        (rank, user_id, paid[rank]) for rank, user_id, _, _ in shown if rank in paid
    }
    for rank, user_id, score, _ in shown:
        (point,) = await parts.ranks.points(instance(parts), user_id, (None, None), 0, 9, all_periods=False)
        assert (point.rank, point.score, point.total) == (rank, score, len(shown))


async def test_a_server_whose_clock_is_behind_cannot_change_what_is_closed(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url) as ahead:
        await race(ahead)
        async with running(ledger_dsn, redis_url, now=MONDAY - timedelta(minutes=1)) as other:
            await go_to(ahead, MONDAY + GRACE)
            assert other.clock is not None
            other.clock._clock.set(MONDAY - timedelta(minutes=1))  # as a machine's clock would be
            late = await report(other, "dot", 500)
            assert late.rank.board.period_id == SECOND
        assert await lines(ahead, period_id=FIRST) == STANDING


async def test_periods_missed_during_downtime_are_closed_each_with_its_own_standing(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url) as parts:
        await race(parts)
        assert parts.clock is not None
        await parts.clock.set(MONDAY)
        await report(parts, "dot", 7)
    async with running(ledger_dsn, redis_url, now=MONDAY + timedelta(days=40), jobs=True) as parts:
        await parts.jobs.run_due()
        assert [await entries_of(parts, name) for name, _ in LAPS] == [[90], [70], [], [90]]
        assert await lines(parts, period_id=FIRST) == STANDING
        assert await state_of(parts, FIRST, "race") == PeriodState.ARCHIVED


async def change_resets(parts: Parts, cron: str) -> None:
    config = await parts.boards.board("race")
    fields = {name: getattr(config, name) for name in config.__slots__} | {"reset_cron": cron}
    await parts.boards.update(type(config)(**fields), ["reset_cron"])


async def test_with_other_resets_what_runs_no_more_is_over(parts: Parts) -> None:
    await race(parts)
    await change_resets(parts, "0 0 1 * *")
    assert (await report(parts, "dot", 3)).rank.board.period_id == "2026-11-01T00:00Z"
    assert parts.clock is not None
    await go_to(parts, parts.clock.now() + GRACE)
    closed = await parts.periods.period(instance(parts))
    assert (closed.state, closed.period.ends_at) == (PeriodState.COMPLETED, parts.clock.now() - GRACE)
    assert await lines(parts, period_id=FIRST) == STANDING
    assert await refusal(change_resets(parts, WEEKLY)) is Reason.INVALID_FIELD
    await change_resets(parts, "")
    assert await lines(parts) == []
    await report(parts, "dot", 4)
    assert await lines(parts, period_id=FIRST) == STANDING
    await change_resets(parts, "0 0 1 1 *")
    await go_to(parts, parts.clock.now() + GRACE)
    assert [each.board.period_id for each in await periods(parts)] == [
        "2026-01-01T00:00Z",
        "all",
        FIRST,
        "2026-11-01T00:00Z",
    ]
    assert await lines(parts, period_id="all") == [(1, "dot", 4, 0)]
    assert {place.board.key.scope for place in await parts.queries.all_places("dot")} <= {
        "global",
        "tier:bronze",
    }


async def test_a_period_that_goes_on_under_other_resets_ends_when_they_say(parts: Parts) -> None:
    await race(parts)
    await change_resets(parts, "0 0 * * 1#1,1")  # Mondays still, written otherwise
    await change_resets(parts, "0 0 * * MON,THU")
    thursday = datetime(2026, 11, 26, tzinfo=UTC)
    await go_to(parts, thursday + GRACE)
    assert (await parts.periods.period(instance(parts))).period.ends_at == thursday
    assert await state_of(parts, FIRST, "race") == PeriodState.COMPLETED


async def test_a_board_that_is_created_again_knows_nothing_of_the_one_before(parts: Parts) -> None:
    await race(parts)
    await go_to(parts, MONDAY - timedelta(minutes=10), "snapshot_ranks")
    await go_to(parts, MONDAY + GRACE)
    await parts.boards.delete("race", RequestKey("tests", "delete", b""))
    await board(parts, reset_cron=WEEKLY)
    assert await lines(parts) == await lines(parts, period_id=FIRST) == []
    assert [each.participants for each in await periods(parts)] == [0]
    await give(parts, "ann", 1)
    assert await parts.ranks.points(instance(parts, ""), "ann", (None, None), 0, 9, all_periods=True) == []
    assert (await parts.periods.snapshot(instance(parts), 0, 9)).taken_at is None


@pytest.mark.parametrize("again", [BONUSES, (WinnerBonus(1, 40),)])
async def test_a_board_that_is_created_again_pays_for_itself_also_under_the_same_period_id(
    parts: Parts, again: tuple[WinnerBonus, ...]
) -> None:
    await board(parts, reset_cron="0 0 * * *", winner_bonuses=BONUSES)
    await report(parts, "ann", 30)
    wednesday = datetime(2026, 11, 25, tzinfo=UTC)
    await go_to(parts, wednesday + timedelta(days=1) + GRACE)
    assert await entries_of(parts, "ann") == [90]
    await parts.boards.delete("race", RequestKey("tests", "delete", b""))
    await board(parts, reset_cron="0 0 * * 3", winner_bonuses=again)
    answer = await report(parts, "ann", 7)
    assert answer.rank.board.period_id == "2026-11-25T00:00Z"
    for paid in (1, 0):
        assert (await go_to(parts, wednesday + timedelta(days=7) + GRACE))["paid"] == paid
    (winner,) = (await parts.periods.period(instance(parts, "2026-11-25T00:00Z"))).winners
    assert (winner.score, winner.bonus_points) == (7, again[0].points)
    assert await entries_of(parts, "ann") == [90, again[0].points]
    second = await parts.pool.fetchval("SELECT max(transaction_id) FROM reward_transactions")
    assert winner.transaction_id == second


@pytest.mark.parametrize("step", ["snapshot", "paid"])
async def test_a_board_that_is_created_again_while_it_is_closed_goes_on(parts: Parts, step: str) -> None:
    await give(parts, "ann", 1)  # the day of the global board is closed first
    await board(parts, reset_cron="0 0 * * *", winner_bonuses=BONUSES)
    await report(parts, "bob", 30)
    wednesday = datetime(2026, 11, 25, tzinfo=UTC)
    assert parts.clock is not None
    await parts.clock.set(wednesday + timedelta(days=1) + GRACE)

    async def create_again() -> None:
        await parts.boards.delete("race", RequestKey("tests", "delete", b""))
        await board(parts, reset_cron="0 0 * * 3", winner_bonuses=(WinnerBonus(1, 40),))
        assert (await report(parts, "bob", 7)).rank.board.period_id == "2026-11-25T00:00Z"

    await close_and(parts, step, create_again)
    now = await parts.periods.period(instance(parts, "2026-11-25T00:00Z"))
    assert (now.state, now.winners, now.participants) == (PeriodState.ACTIVE, (), 1)
    await report(parts, "cid", 8)
    await go_to(parts, wednesday + timedelta(days=7) + GRACE)
    then = await parts.periods.period(instance(parts, "2026-11-25T00:00Z"))
    assert (then.state, then.participants) == (PeriodState.COMPLETED, 2)
    assert [(winner.user_id, winner.bonus_points) for winner in then.winners] == [("cid", 40)]
    assert await wrongs(parts) == []
