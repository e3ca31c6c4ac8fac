"""The framework of jobs on a real ledger: once, in time, made up for, and found out about."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.clock import SandboxClock
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.jobs import JobRun, JobState, RunRequest
from laurel_server.jobs.job import Counts, Job, Progress, Queue
from laurel_server.jobs.runner import JobRunner
from laurel_server.metrics import JOB_LAST_SUCCESS
from laurel_server.postgres.leases import Leases
from laurel_server.postgres.pool import Pool, create_pool

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAILY, HOURLY = "0 0 * * *", "0 * * * *"


@dataclass
class Work:
    """What the jobs of a test do: `do` is called with the name of the job."""

    done: list[str] = field(default_factory=list)
    do: Callable[[str], Awaitable[None]] | None = None

    def job(self, name: str, schedule: str = DAILY, queue: Queue = Queue.PATIENT) -> Job:
        async def run(progress: Progress) -> Counts:
            progress(done=len(self.done))
            if self.do is not None:
                await self.do(name)
            self.done.append(name)
            return {"done": len(self.done)}

        return Job(name, "Works.", schedule, run, queue)


@dataclass
class Server:
    runner: JobRunner
    leases: Leases
    pool: Pool


@asynccontextmanager
async def server(
    dsn: str, clock: SandboxClock, *jobs: Job, interval: float = 0.02, scheduled: bool = True
) -> AsyncIterator[Server]:
    pool = await create_pool(dsn, 1, 4, 10)
    leases = Leases(dsn)
    runner = JobRunner(jobs, pool, leases, clock, UTC, scheduled=scheduled, interval=interval)
    try:
        yield Server(runner, leases, pool)
    finally:
        await runner.close()
        await pool.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the runner tells nobody
            await asyncio.sleep(0.01)


def asked(number: int, body: bytes = b"") -> RunRequest:
    return RunRequest(number.to_bytes(16, "big"), body, str(number))


async def finished(runner: JobRunner, job: str = "") -> Sequence[tuple[str, JobState]]:
    return [(run.job, run.state) for run in reversed(await runner.runs(job, 1 << 62, 100))]


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


async def test_jobs_that_are_due_together_run_one_of_each_queue_at_a_time_in_order(ledger_dsn: str) -> None:
    running: set[str] = set()
    together: list[set[str]] = []
    prompt_may_end, outward_may_end, all_ran = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def take_time(name: str) -> None:
        running.add(name)
        together.append(set(running))
        if name == "close":
            await prompt_may_end.wait()
        elif name == "tell":
            await outward_may_end.wait()
        else:
            await asyncio.sleep(0)
        running.discard(name)
        if len(together) == 6:
            all_ran.set()

    work = Work(do=take_time)
    jobs = (
        work.job("partitions", queue=Queue.PROMPT),
        work.job("close", queue=Queue.PROMPT),
        work.job("snapshot", queue=Queue.PROMPT),
        work.job("badges"),
        work.job("verify"),
        work.job("tell", queue=Queue.OUTWARD),
    )
    async with server(ledger_dsn, SandboxClock(NOON), *jobs) as one:
        loop = asyncio.create_task(one.runner.run())
        await until(lambda: {"close", "tell"} <= running)
        assert work.done == ["partitions"]  # those that may take long wait, whatever the outer world does
        prompt_may_end.set()
        await until(lambda: "verify" in work.done)
        assert work.done == ["partitions", "close", "snapshot", "badges", "verify"]
        outward_may_end.set()
        await asyncio.wait_for(all_ran.wait(), 60)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
    assert max(map(len, together)) == 2


async def test_a_prompt_job_does_not_wait_for_one_that_takes_long(ledger_dsn: str) -> None:
    may_end = asyncio.Event()

    async def take_time(name: str) -> None:
        if name == "verify":
            await may_end.wait()

    work, clock = Work(do=take_time), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("close", HOURLY, Queue.PROMPT), work.job("verify")) as one:
        loop = asyncio.create_task(one.runner.run())
        await until(lambda: work.done == ["close"])
        clock.advance(timedelta(hours=1))
        await until(lambda: work.done == ["close", "close"])
        may_end.set()
        await until(lambda: work.done[-1] == "verify")
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def test_a_prompt_job_waits_for_the_one_before_it_whoever_runs_that(ledger_dsn: str) -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def note(name: str) -> None:
        if name == "note":
            entered.set()
            await may_end.wait()

    work, clock = Work(do=note), SandboxClock(NOON)
    jobs = (work.job("note", queue=Queue.PROMPT), work.job("close", queue=Queue.PROMPT), work.job("expire"))
    async with server(ledger_dsn, clock, *jobs) as one, server(ledger_dsn, clock, *jobs) as other:
        first = asyncio.create_task(one.runner.run_due())
        await entered.wait()
        beside = asyncio.create_task(one.runner.run())
        elsewhere = asyncio.create_task(other.runner.run())
        await until(lambda: work.done == ["expire"])  # which they come to after the others
        may_end.set()
        await first
        assert work.done == ["expire", "note", "close"]
        for loop in (beside, elsewhere):
            loop.cancel()
        await asyncio.gather(beside, elsewhere, return_exceptions=True)


async def test_a_prompt_job_does_not_wait_for_one_that_has_failed(ledger_dsn: str) -> None:
    async def fail(name: str) -> None:
        if name == "note":
            raise ValueError(name)

    work = Work(do=fail)
    jobs = (work.job("note", queue=Queue.PROMPT), work.job("close", queue=Queue.PROMPT))
    async with server(ledger_dsn, SandboxClock(NOON), *jobs) as one:
        await one.runner.run_due()
        assert work.done == ["close"]


async def test_a_calm_job_holds_up_nothing(ledger_dsn: str) -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def take_time(name: str) -> None:
        if name == "verify":
            entered.set()
            await may_end.wait()

    work, clock = Work(do=take_time), SandboxClock(NOON)
    jobs = (work.job("verify", queue=Queue.CALM), work.job("expire", HOURLY))
    async with server(ledger_dsn, clock, *jobs) as one:
        loop = asyncio.create_task(one.runner.run())
        await entered.wait()
        await until(lambda: work.done == ["expire"])
        clock.advance(timedelta(hours=1))
        await until(lambda: work.done == ["expire", "expire"])
        may_end.set()
        await until(lambda: work.done[-1] == "verify")
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def test_a_job_that_somebody_asked_for_does_not_hold_up_its_queue(ledger_dsn: str) -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def take_time(name: str) -> None:
        if name == "verify":
            entered.set()
            await may_end.wait()

    work = Work(do=take_time)
    async with server(ledger_dsn, SandboxClock(NOON), work.job("verify"), work.job("expire")) as one:
        by_hand = asyncio.create_task(one.runner.run_now("verify", asked(1)))
        await entered.wait()
        loop = asyncio.create_task(one.runner.run())
        await until(lambda: work.done == ["expire"])
        may_end.set()
        await by_hand
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
