"""housekeeping: what was kept for a time and is not needed any more goes."""

from datetime import timedelta

from laurel_server.domain.clock import Clock
from laurel_server.jobs.job import Counts, Job, Progress
from laurel_server.postgres.idempotency import forget_answers
from laurel_server.postgres.jobs import forget_runs
from laurel_server.postgres.pool import Pool


def housekeeping(pool: Pool, clock: Clock, answers_age: timedelta, runs_age: timedelta) -> Job:
    """Return the job. `answers_age`: how long a `request_id` is known; `runs_age`: how long runs of jobs are listed."""

    async def run(progress: Progress) -> Counts:
        answers = 0
        async for forgotten in forget_answers(pool, answers_age):
            answers += forgotten
            progress(answers=answers)
        return {"answers": answers, "runs": await forget_runs(pool, clock.now() - runs_age)}

    return Job("housekeeping", "Deletes old idempotency keys and old runs of jobs.", "47 2 * * *", run)
