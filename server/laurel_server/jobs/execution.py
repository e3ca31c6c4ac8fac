"""One run of a job: begun, done, and noted how it went."""

import asyncio
import time
from dataclasses import replace

import structlog

from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.jobs import JobRun, JobState, RunRequest
from laurel_server.jobs.job import Counts, Job, progress_of
from laurel_server.metrics import JOB_LAST_SUCCESS, JOB_RUNS, JOB_SECONDS
from laurel_server.postgres import jobs as runs
from laurel_server.postgres.idempotency import keep_answer
from laurel_server.postgres.leases import Lease, LeaseLostError
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

FIRST_RETRY_SECONDS = 2.0
LAST_RETRY_SECONDS = 300.0
"""A job that failed is tried again after a while that doubles up to this."""

STOPPED = "the server stopped, or lost its lease, before the end; it is run again"


class Execution:
    """Runs jobs whose leases are held, and remembers which have failed."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}
        """How often a job has failed in a row, and from which moment of `time.monotonic()` on it is tried again."""

    async def remember(self) -> None:
        """Have the metrics know when jobs succeeded before this server started."""
        for job, finished_at in (await runs.last_successes(self._pool)).items():
            JOB_LAST_SUCCESS.labels(job).set(finished_at.timestamp())

    def may_run(self, job: Job) -> bool:
        """Whether a job that is due may run, or has failed just now."""
        return time.monotonic() >= self._failures.get(job.name, (0, 0.0))[1]

    async def run(self, job: Job, lease: Lease, request: RunRequest | None = None) -> JobRun:
        """Run a job whose lease is held and note how it went."""
        started, now = time.perf_counter(), self._clock.now()
        run_id = await runs.begin_run(self._pool, job.name, now)
        begun = JobRun(run_id, job.name, JobState.RUNNING, now, None, {}, "")
        try:
            ended = await self._outcome(job, lease, begun)
        except asyncio.CancelledError:
            await self._note_end(self._failed(begun, STOPPED), None)
            raise
        JOB_SECONDS.labels(job.name).observe(time.perf_counter() - started)
        await self._note_end(ended, request)
        return ended

    async def _outcome(self, job: Job, lease: Lease, begun: JobRun) -> JobRun:
        try:
            counts = await lease.guard(job.run(progress_of(job.name)))
        except LeaseLostError:
            return self._failed(begun, STOPPED)
        except LaurelError as refusal:
            log.warning("job.failed", job=job.name, run=begun.run_id, error=str(refusal))
            return self._failed(begun, refusal.message)
        except Exception as fault:  # whatever it is, the other jobs go on
            log.exception("job.failed", job=job.name, run=begun.run_id)
            return self._failed(begun, f"{type(fault).__name__}; the log has it as run {begun.run_id}")
        self._failures.pop(job.name, None)
        JOB_LAST_SUCCESS.labels(job.name).set_to_current_time()
        log.info("job.done", job=job.name, run=begun.run_id, **counts)
        progress_of(job.name)(**counts)
        return self._ended(begun, JobState.SUCCEEDED, counts, "")

    def _failed(self, begun: JobRun, error: str) -> JobRun:
        failures, _ = self._failures.get(begun.job, (0, 0.0))
        wait = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**failures)
        self._failures[begun.job] = (failures + 1, time.monotonic() + wait)
        return self._ended(begun, JobState.FAILED, {}, error)

    def _ended(self, begun: JobRun, state: JobState, counts: Counts, error: str) -> JobRun:
        JOB_RUNS.labels(begun.job, state.name.lower()).inc()
        return replace(begun, state=state, finished_at=self._clock.now(), counts=counts, error=error)

    async def _note_end(self, run: JobRun, request: RunRequest | None) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await runs.end_run(connection, run)
            if request is not None:
                outcome = str(run.run_id).encode()
                await keep_answer(connection, request.key, request.request_hash, outcome)
