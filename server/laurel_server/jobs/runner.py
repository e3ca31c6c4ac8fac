"""Runs jobs: those that are due, and those that operators ask for."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from itertools import takewhile
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import LaurelError, Reason, invalid_field
from laurel_server.domain.jobs import JobRun, JobStatus, RunRequest
from laurel_server.jobs.execution import Execution
from laurel_server.jobs.job import Job, Queue
from laurel_server.jobs.schedule import next_due
from laurel_server.postgres import jobs as runs
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.idempotency import read_answer
from laurel_server.postgres.leases import Lease, Leases
from laurel_server.postgres.pool import Pool, ledger_errors

log = structlog.get_logger()


class JobRunner:
    """The jobs of one server process, in the order in which they run when several are due.

    `scheduled`: whether this process runs what is due. `interval` is how often it looks, in seconds.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        pool: Pool,
        leases: Leases,
        clock: Clock,
        zone: tzinfo,
        *,
        scheduled: bool,
        interval: float,
    ) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._pool = pool
        self._leases = leases
        self._execution = Execution(pool, clock)
        self._clock = clock
        self._zone = zone
        self._scheduled = scheduled
        self._interval = interval
        self._turns = {name: asyncio.Lock() for name in self._jobs}
        self._queues = {queue: asyncio.Lock() for queue in Queue}
        self._queued: set[str] = set()
        self._next_due: dict[str, datetime] = {}
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Look for what is due, at once and then every `interval`, until cancelled."""
        try:
            await self._execution.remember()
        except UNAVAILABLE as away:
            log.warning("jobs.not_remembered", error=f"{type(away).__name__}: {away}")
        if not self._scheduled:
            return
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        scheduler = AsyncIOScheduler(timezone=UTC)
        every = IntervalTrigger(seconds=self._interval, timezone=UTC)
        scheduler.add_job(
            self._look, every, next_run_time=datetime.now(UTC), misfire_grace_time=None, coalesce=True
        )
        scheduler.start()
        try:
            await asyncio.Event().wait()
        finally:
            scheduler.shutdown(wait=False)

    async def run_due(self) -> None:
        """Run every job that is due now, in order, and return when all have ended; a failed one is in the log."""
        if self._scheduled:
            self._next_due.clear()  # the clock may have been turned back
            for job in self._jobs.values():
                await asyncio.shield(self._spawn(self._run_if_due(job, wait=True)))

    async def run_now(self, name: str, request: RunRequest) -> tuple[JobRun, bool]:
        """Run a job, wait for its end, and return the run, or the one that this request led to before (True).

        INVALID_FIELD `job`, IDEMPOTENCY_CONFLICT. A caller that gives up does not stop the run.
        """
        job = self._jobs.get(name)
        if job is None:
            raise invalid_field("job", f"must be one of {', '.join(self._jobs)}")
        async with ledger_errors():
            return await asyncio.shield(self._spawn(self._run_asked(job, request)))

    async def statuses(self) -> Sequence[JobStatus]:
        """Return all jobs in their order."""
        now = self._clock.now()
        async with ledger_errors():
            last = await runs.last_runs(self._pool)
            covered = {name: await self._covered(job, now) for name, job in self._jobs.items()}
        return [
            JobStatus(
                job.name,
                job.description,
                job.schedule,
                next_due(job.schedule, self._zone, covered[job.name]) or now,
                last.get(job.name),
            )
            for job in self._jobs.values()
        ]

    async def runs(self, job: str, before: int, limit: int) -> Sequence[JobRun]:
        """Return up to `limit` runs with numbers below `before`, newest first; of every job for "". INVALID_FIELD."""
        if job and job not in self._jobs:
            raise invalid_field("job", f"must be one of {', '.join(self._jobs)}")
        async with ledger_errors():
            return await runs.list_runs(self._pool, job, before, limit)

    async def close(self) -> None:
        """Stop what runs; it is run again by the next server."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._leases.close()

    async def _look(self) -> None:
        for job in self._jobs.values():
            if self._may_be_due(job) and job.name not in self._queued:
                self._queued.add(job.name)
                _ = self._spawn(self._run_in_queue(job))

    def _may_be_due(self, job: Job) -> bool:
        due = self._next_due.get(job.name)
        return (due is None or due <= self._clock.now()) and self._execution.may_run(job)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _run_in_queue(self, job: Job) -> None:
        """Run a job if it is due when it is its turn. At a start all are, and together they would slow awards down."""
        try:
            async with self._queues[job.queue]:
                if job.queue in {Queue.PATIENT, Queue.CALM}:
                    async with self._queues[Queue.PROMPT]:
                        pass  # those that were due before it have run
                if not self._turns[
                    job.name
                ].locked():  # somebody asked for it: others need not wait for its end
                    await self._run_if_due(job, wait=False)
        finally:
            self._queued.discard(job.name)

    async def _run_if_due(self, job: Job, *, wait: bool) -> None:
        try:
            async with self._turn(job, wait=wait) as lease:
                if lease is not None and await self._is_due(job) and not await self._must_wait(job):
                    await self._execution.run(job, lease)
                    await self._is_due(job)
        except UNAVAILABLE as away:
            log.warning("job.postponed", job=job.name, error=f"{type(away).__name__}: {away}")

    async def _must_wait(self, job: Job) -> bool:
        """Whether a prompt job has another before it that is due, and may just be run by somebody else.

        Where everybody stood is noted before a period is paid for, whichever servers do the one and the other.
        """
        if job.queue is not Queue.PROMPT:
            return False
        before = takewhile(lambda other: other is not job, self._jobs.values())
        prompt = [other for other in before if other.queue is Queue.PROMPT and self._execution.may_run(other)]
        return any([await self._is_due(other) for other in prompt])

    async def _is_due(self, job: Job) -> bool:
        now = self._clock.now()
        due = next_due(job.schedule, self._zone, await self._covered(job, now))
        self._next_due[job.name] = due or now
        return self._next_due[job.name] <= now

    async def _covered(self, job: Job, now: datetime) -> datetime | None:
        """Return up to when the job has nothing to make up for; None: it never ran."""
        covered = await runs.covered_until(self._pool, job.name, now)
        return await runs.ledger_begun(self._pool) if covered is None and job.begins_on_time else covered

    async def _run_asked(self, job: Job, request: RunRequest) -> tuple[JobRun, bool]:
        async with self._turn(job, wait=True) as lease:
            before = await self._answered(request)
            if before is not None:
                return before, True
            assert lease is not None  # noqa: S101 - it was waited for
            return await self._execution.run(job, lease, request), False

    async def _answered(self, request: RunRequest) -> JobRun | None:
        answer = await read_answer(self._pool, request.key)
        if answer is None:
            return None
        if answer.request_hash != request.request_hash:
            raise LaurelError(
                Reason.IDEMPOTENCY_CONFLICT,
                "this request_id was used before with another body",
                metadata={"request_id": request.request_id},
            )
        return await runs.read_run(self._pool, int(answer.outcome))

    @asynccontextmanager
    async def _turn(self, job: Job, *, wait: bool) -> AsyncIterator[Lease | None]:
        """Take the job's turn in this process, and its lease among all of them."""
        async with (
            self._turns[job.name],
            self._leases.held(f"laurel job {job.name}", wait=wait) as lease,
        ):
            yield lease
