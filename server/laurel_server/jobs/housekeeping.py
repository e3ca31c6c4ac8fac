"""housekeeping: what was kept for a time and is not needed any more goes."""

from datetime import timedelta, tzinfo
from typing import NamedTuple

from laurel_server.domain.clock import Clock
from laurel_server.jobs.job import Counts, Job, Progress
from laurel_server.postgres.idempotency import forget_answers
from laurel_server.postgres.jobs import forget_runs
from laurel_server.postgres.notifications import forget_old
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.rank_history import forget_ranks


class Ages(NamedTuple):
    """How long a `request_id` is known, runs of jobs are listed, ranks of days are told, and notifications are kept."""

    answers: timedelta
    runs: timedelta
    ranks: timedelta
    notifications: timedelta


def housekeeping(pool: Pool, clock: Clock, zone: tzinfo, ages: Ages) -> Job:
    """Return the job; days of ranks are those of `zone`."""

    async def run(progress: Progress) -> Counts:
        counts = {"answers": 0, "ranks": 0, "notifications": 0}
        async for answers in forget_answers(pool, ages.answers):
            counts["answers"] += answers
            progress(**counts)
        now = clock.now()
        async for ranks in forget_ranks(pool, (now - ages.ranks).astimezone(zone).date()):
            counts["ranks"] += ranks
            progress(**counts)
        async for notifications in forget_old(pool, now - ages.notifications):
            counts["notifications"] += notifications
            progress(**counts)
        return {**counts, "runs": await forget_runs(pool, now - ages.runs)}

    return Job(
        "housekeeping",
        "Deletes old idempotency keys, runs of jobs, ranks of days and notifications.",
        "47 2 * * *",
        run,
    )
