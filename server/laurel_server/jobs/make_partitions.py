"""make_partitions: the ledger has a place for the entries of the months to come."""

from laurel_server.domain.clock import EPOCH, Clock
from laurel_server.jobs.job import Counts, Job, Progress, Queue
from laurel_server.postgres.partitions import make_partitions_ahead
from laurel_server.postgres.pool import Pool


def make_partitions(pool: Pool, clock: Clock, months_ahead: int) -> Job:
    """Return the job. The month that runs counts as none of the `months_ahead`."""

    async def run(_progress: Progress) -> Counts:
        now = clock.now()
        this_month = (now.year - EPOCH.year) * 12 + now.month - 1
        made = await make_partitions_ahead(pool, range(this_month, this_month + months_ahead + 1))
        return {"made": made}

    return Job(
        "make_partitions",
        "Makes the partitions of the coming months ahead of time.",
        "7 0 * * *",
        run,
        Queue.PROMPT,
    )
