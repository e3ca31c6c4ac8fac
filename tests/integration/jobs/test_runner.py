"""The framework of jobs on a real ledger: once, in time, made up for, and found out about."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.clock import SandboxClock
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.jobs import JobRun, JobState
from laurel_server.metrics import JOB_LAST_SUCCESS
from tests.integration.jobs.working import HOURLY, NOON, Work, asked, finished, server


async def test_a_job_runs_at_once_and_then_when_it_is_due(ledger_dsn: str) -> None:
    work, clock = Work(), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("a"), work.job("b", HOURLY)) as one:
        await one.runner.run_due()
        await one.runner.run_due()
        assert work.done == ["a", "b"]
        clock.advance(timedelta(hours=1))
        await one.runner.run_due()
        assert work.done == ["a", "b", "b"]


async def test_many_missed_moments_are_made_up_for_by_one_run(ledger_dsn: str) -> None:
    work, clock = Work(), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("a")) as one:
        await one.runner.run_due()
        clock.advance(timedelta(days=40))
        await one.runner.run_due()
        assert work.done == ["a", "a"]


async def test_a_server_that_starts_runs_what_the_last_one_missed(ledger_dsn: str) -> None:
    work, clock = Work(), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("a")) as first:
        await first.runner.run_due()
    async with server(ledger_dsn, clock, work.job("a")) as second:
        await second.runner.run_due()
        assert work.done == ["a"]
    clock.advance(timedelta(days=1))
    async with server(ledger_dsn, clock, work.job("a")) as third:
        await third.runner.run_due()
        assert work.done == ["a", "a"]


async def test_the_loop_runs_what_is_due_without_being_asked(ledger_dsn: str) -> None:
    ran = asyncio.Event()

    async def note(_name: str) -> None:
        ran.set()

    work = Work(do=note)
    async with server(ledger_dsn, SandboxClock(NOON), work.job("a")) as one:
        loop = asyncio.create_task(one.runner.run())
        await asyncio.wait_for(ran.wait(), 60)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def test_a_server_that_starts_knows_when_jobs_last_succeeded(ledger_dsn: str) -> None:
    work, clock = Work(), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("remembered")) as before:
        await before.runner.run_due()
    JOB_LAST_SUCCESS.remove("remembered")  # as in a process that has just begun
    async with server(ledger_dsn, clock, work.job("remembered"), scheduled=False) as one:
        await one.runner.run()
    (sample,) = (
        sample
        for metric in JOB_LAST_SUCCESS.collect()
        for sample in metric.samples
        if sample.labels["job"] == "remembered"
    )
    assert sample.value == NOON.timestamp()


async def test_two_servers_never_run_a_job_at_the_same_time_or_twice(ledger_dsn: str) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def hold(_name: str) -> None:
        entered.set()
        await go.wait()

    slow, quick, clock = Work(do=hold), Work(), SandboxClock(NOON)
    async with (
        server(ledger_dsn, clock, slow.job("a")) as one,
        server(ledger_dsn, clock, quick.job("a")) as other,
    ):
        first = asyncio.create_task(one.runner.run_due())
        await entered.wait()
        second = asyncio.create_task(other.runner.run_due())
        await asyncio.sleep(0)
        assert quick.done == []
        go.set()
        await asyncio.gather(first, second)
        assert (slow.done, quick.done) == (["a"], [])
        assert await finished(other.runner) == [("a", JobState.SUCCEEDED)]


async def test_a_run_whose_server_died_is_abandoned_and_done_by_the_next(ledger_dsn: str) -> None:
    entered = asyncio.Event()

    async def hang(_name: str) -> None:
        entered.set()
        await asyncio.Event().wait()

    hanging, work, clock = Work(do=hang), Work(), SandboxClock(NOON)
    async with (
        server(ledger_dsn, clock, hanging.job("a")) as dead,
        server(ledger_dsn, clock, work.job("a")) as one,
    ):
        dying = asyncio.create_task(dead.runner.run_due())
        await entered.wait()
        await dead.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'laurel leases' AND datname = current_database()"
        )
        await dying  # it lost its lease, and so its work was stopped
        await one.runner.run_due()
        assert work.done == ["a"]
        assert await finished(one.runner) == [("a", JobState.FAILED), ("a", JobState.SUCCEEDED)]


async def test_a_job_that_fails_is_listed_with_a_reason_and_tried_again(ledger_dsn: str) -> None:
    async def fail(_name: str) -> None:
        raise ValueError("secret detail")

    work, clock = Work(do=fail), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("a"), work.job("b")) as one:
        await one.runner.run_due()
        (run,) = await one.runner.runs("b", 1 << 62, 10)
        assert (run.state, "ValueError" in run.error, "secret" in run.error) == (JobState.FAILED, True, False)
        work.do = None
        await one.runner.run_due()
        assert work.done == ["a", "b"]


async def test_an_asked_for_run_is_done_once_per_request(ledger_dsn: str) -> None:
    work, clock = Work(), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("a"), scheduled=False) as one:
        run, replayed = await one.runner.run_now("a", asked(1))
        assert (run.job, run.state, run.counts, replayed) == ("a", JobState.SUCCEEDED, {"done": 1}, False)
        assert await one.runner.run_now("a", asked(1)) == (run, True)
        with pytest.raises(LaurelError) as refused:
            await one.runner.run_now("a", asked(1, b"other"))
        assert refused.value.reason is Reason.IDEMPOTENCY_CONFLICT
        again, replayed = await one.runner.run_now("a", asked(2))
        assert (again.run_id > run.run_id, replayed) == (True, False)


async def test_the_same_request_twice_at_once_leads_to_one_run(ledger_dsn: str) -> None:
    work, clock = Work(), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("a"), scheduled=False) as one:
        (run, _), (same, _) = await asyncio.gather(*(one.runner.run_now("a", asked(1)) for _ in range(2)))
        assert (run, work.done) == (same, ["a"])


async def test_giving_up_on_a_run_does_not_stop_it(ledger_dsn: str) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def hold(_name: str) -> None:
        entered.set()
        await go.wait()

    work, clock = Work(do=hold), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("a"), scheduled=False) as one:
        caller = asyncio.create_task(one.runner.run_now("a", asked(1)))
        await entered.wait()
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        go.set()
        run, replayed = await one.runner.run_now("a", asked(1))
        assert (run.state, replayed, work.done) == (JobState.SUCCEEDED, True, ["a"])


async def test_an_unknown_job_is_an_invalid_field(ledger_dsn: str) -> None:
    async with server(ledger_dsn, SandboxClock(NOON), Work().job("a")) as one:
        for call in (one.runner.run_now("b", asked(1)), one.runner.runs("b", 1 << 62, 1)):
            with pytest.raises(LaurelError) as refused:
                await call
            assert (refused.value.reason, refused.value.field) == (Reason.INVALID_FIELD, "job")


async def test_a_clock_that_is_turned_back_makes_jobs_due_again(ledger_dsn: str) -> None:
    work, clock = Work(), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("a")) as one:
        await one.runner.run_due()
        clock.set(NOON - timedelta(days=300))
        await one.runner.run_due()
        clock.advance(timedelta(days=1))
        await one.runner.run_due()
        assert work.done == ["a", "a", "a"]


async def test_jobs_are_listed_with_their_next_and_last_runs(ledger_dsn: str) -> None:
    work, clock = Work(), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("a"), work.job("b", HOURLY)) as one:
        assert [(each.job, each.next_run_at, each.last_run) for each in await one.runner.statuses()] == [
            ("a", NOON, None),
            ("b", NOON, None),
        ]
        await one.runner.run_due()
        first, second = await one.runner.statuses()
        assert (first.next_run_at, second.next_run_at) == (
            datetime(2026, 11, 26, tzinfo=UTC),
            NOON + timedelta(hours=1),
        )
        last: JobRun | None = second.last_run
        assert last is not None
        assert (last.started_at, last.finished_at, last.counts) == (NOON, NOON, {"done": 2})


async def test_what_begins_on_time_makes_up_for_nothing_in_a_new_ledger(ledger_dsn: str) -> None:
    clock, work = SandboxClock(NOON), Work()
    patient = replace(work.job("compare"), begins_on_time=True)
    async with server(ledger_dsn, clock, patient, work.job("sweep")) as one:
        await one.pool.execute(
            "INSERT INTO reward_action_configs (action, version, display_name, description, points_formula,"
            " tier_multipliers, max_points_per_action, max_daily_points, cap_mode, cooldown, expires_after,"
            " board_effect, active, created_by, created_at)"
            " VALUES ('REVIEW', 1, '', '', '1', '{}', 0, 0, 1, '0', '', 1, true, 'laurel', $1)",
            NOON - timedelta(hours=1),
        )
        await one.runner.run_due()
        assert work.done == ["sweep"]
        clock.set(NOON + timedelta(days=1))
        await one.runner.run_due()
    assert work.done == ["sweep", "compare", "sweep"]
