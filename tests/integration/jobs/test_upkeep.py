"""The jobs that keep the ledger itself in order."""

from datetime import date, timedelta

from laurel_server.runtime.config_outside import Events
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import START, board_at, command, give, run_job, running


async def partitions(parts: Parts) -> list[str]:
    rows = await parts.pool.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
        " WHERE inhparent = 'reward_transactions'::regclass ORDER BY 1"
    )
    return [row["name"].removeprefix("reward_transactions_") for row in rows]


async def test_partitions_are_made_ahead_over_the_end_of_the_year(parts: Parts) -> None:
    assert await run_job(parts, "make_partitions") == {"made": 4}
    assert await partitions(parts) == ["2026_11", "2026_12", "2027_01", "2027_02", "default"]
    assert await run_job(parts, "make_partitions") == {"made": 0}


async def test_the_clock_waits_for_what_has_become_due(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, jobs=True) as parts:
        assert parts.clock is not None
        await parts.clock.set(START + timedelta(days=62))
        assert "2027_04" in await partitions(parts)


async def test_verify_says_what_it_has_found(parts: Parts) -> None:
    await give(parts, "u", 10)
    counts = await run_job(parts, "verify")
    assert (counts["checks"] > 3, counts["failed"], counts["mismatches"]) == (True, 0, 0)
    await parts.pool.execute("UPDATE user_rewards SET balance = balance + 1")
    counts = await run_job(parts, "verify")
    assert (counts["failed"], counts["mismatches"]) == (2, 2)


async def test_request_ids_are_known_for_their_time(parts: Parts) -> None:
    old, new = command("u", request_id="old"), command("u", request_id="new")
    await parts.awards.award(old, None)
    await parts.pool.execute("UPDATE idempotency_keys SET created_at = created_at - interval '91 days'")
    await parts.awards.award(new, None)
    assert (await parts.awards.award(old, None)).replayed
    assert await run_job(parts, "housekeeping") == {
        "answers": 1,
        "ranks": 0,
        "notifications": 0,
        "runs": 0,
    }
    assert (await parts.awards.award(new, None)).replayed
    assert not (await parts.awards.award(old, None)).replayed


async def test_the_business_clock_makes_no_request_id_forgotten(parts: Parts) -> None:
    assert parts.clock is not None
    await parts.awards.award(command("u", request_id="once"), None)
    await parts.clock.set(START + timedelta(days=1000))
    assert (await run_job(parts, "housekeeping"))["answers"] == 0
    assert (await parts.awards.award(command("u", request_id="once"), None)).replayed


async def test_old_runs_go_but_the_last_ones(parts: Parts) -> None:
    assert parts.clock is not None
    for _ in range(3):
        await run_job(parts, "make_partitions")
    await parts.clock.set(START + timedelta(days=31))
    assert (await run_job(parts, "housekeeping"))["runs"] == 2
    assert len(await parts.jobs.runs("make_partitions", 1 << 62, 10)) == 1


async def test_ranks_of_days_are_told_for_their_time(parts: Parts) -> None:
    assert parts.clock is not None
    await give(parts, "ann", 10)
    for days in (0, 1, 2):
        await parts.clock.set(START + timedelta(days=days))
        await run_job(parts, "snapshot_ranks")
    await parts.clock.set(START + timedelta(days=400))
    assert (await run_job(parts, "housekeeping"))["ranks"] == 0
    await parts.clock.set(START + timedelta(days=401))
    forgotten = await parts.pool.fetchval("SELECT count(*) FROM rank_history WHERE taken_on = '2026-11-25'")
    assert (await run_job(parts, "housekeeping"))["ranks"] == forgotten > 0
    told = await parts.ranks.points(board_at(parts), "ann", (None, None), 0, 9, all_periods=False)
    assert [point.taken_at.date() for point in told] == [date(2026, 11, 26)]


async def test_notifications_are_kept_for_their_time_and_as_long_as_they_wait(parts: Parts) -> None:
    assert parts.clock is not None
    await parts.pool.execute(
        "INSERT INTO notifications (notification_id, user_id, kind, message, data, created_at, due_at, state)"
        " SELECT day || '/' || state, 'ada', 'BADGE_UNLOCKED', '', '{}', $1::timestamptz + make_interval(days => day),"
        " $1::timestamptz, state"
        " FROM generate_series(0, 1) AS day, generate_series(1, 3) AS state",
        START,
    )
    await parts.clock.set(START + timedelta(days=30))
    assert (await run_job(parts, "housekeeping"))["notifications"] == 0
    await parts.clock.set(START + timedelta(days=30, hours=1))
    assert (await run_job(parts, "housekeeping"))["notifications"] == 2
    left = await parts.pool.fetch("SELECT notification_id FROM notifications ORDER BY 1")
    assert [row[0] for row in left] == ["0/1", "1/1", "1/2", "1/3"]


async def test_what_an_event_told_is_kept_while_the_outbox_has_the_event(
    ledger_dsn: str, redis_url: str
) -> None:
    events = Events(consumers="off", retention_hours=24 * 60)
    async with running(ledger_dsn, redis_url, events=events) as parts:
        assert parts.clock is not None
        await parts.pool.execute(
            "INSERT INTO notifications VALUES ('n-1', 'ada', 'BADGE_UNLOCKED', '', '{}', $1, $1, 2)", START
        )
        await parts.clock.set(START + timedelta(days=60))
        assert (await run_job(parts, "housekeeping"))["notifications"] == 0
        await parts.clock.set(START + timedelta(days=61))
        assert (await run_job(parts, "housekeeping"))["notifications"] == 1
