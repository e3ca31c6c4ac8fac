"""Runs of jobs, as rows."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import orjson

from laurel_server.domain.jobs import JobRun, JobState
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.sql import load

ABANDONED = "the server ended before the run did"


async def begin_run(pool: Pool, job: str, now: datetime) -> int:
    """Note that a run has begun and return its number; runs of the job that are still noted so were abandoned.

    The job's lease is held.
    """
    run_id: int = await pool.fetchval(load("jobs_begin"), job, now, ABANDONED)
    return run_id


async def end_run(connection: Connection, run: JobRun) -> None:
    """Note how a run has ended."""
    await connection.execute(
        load("jobs_end"),
        run.run_id,
        int(run.state),
        run.finished_at,
        orjson.dumps(dict(run.counts)).decode(),
        run.error,
    )


async def covered_until(pool: Pool, job: str, now: datetime) -> datetime | None:
    """Return when the last run that succeeded was begun, `now` at the latest; None: there was none."""
    moment: datetime | None = await pool.fetchval(load("jobs_covered"), job, now)
    return moment


async def ledger_begun(pool: Pool) -> datetime | None:
    """Return when the ledger got its first rules; None: it has none."""
    moment: datetime | None = await pool.fetchval(load("jobs_ledger_begun"))
    return moment


async def last_successes(pool: Pool) -> dict[str, datetime]:
    """Return when each job that ever succeeded did so last, by job."""
    return {row["job"]: row["finished_at"] for row in await pool.fetch(load("jobs_successes"))}


async def last_runs(pool: Pool) -> dict[str, JobRun]:
    """Return the last run of every job that ever ran, by job."""
    return {row["job"]: _run(row) for row in await pool.fetch(load("jobs_last"))}


async def list_runs(pool: Pool, job: str, before: int, limit: int) -> Sequence[JobRun]:
    """Return up to `limit` runs with numbers below `before`, newest first; "" for those of every job."""
    return [_run(row) for row in await pool.fetch(load("jobs_runs"), job, before, limit)]


async def read_run(pool: Pool, run_id: int) -> JobRun | None:
    """Return one run; None: it is not kept any more."""
    row = await pool.fetchrow(load("jobs_run"), run_id)
    return None if row is None else _run(row)


async def forget_runs(pool: Pool, before: datetime) -> int:
    """Delete runs that were begun before that moment, but the last ones of each job; return how many."""
    return len(await pool.fetch(load("jobs_forget"), before))


def _run(row: asyncpg.Record) -> JobRun:
    return JobRun(
        row["run_id"],
        row["job"],
        JobState(row["state"]),
        row["started_at"],
        row["finished_at"],
        orjson.loads(row["counts"]),
        row["error"],
    )
