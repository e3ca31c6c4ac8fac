"""verify: the nightly comparison of what must be equal."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from laurel_server.domain.views import Check
from laurel_server.jobs.job import Counts, Job, Progress, Queue

log = structlog.get_logger()


def verify(compare: Callable[[], Awaitable[Sequence[Check]]]) -> Job:
    """Return the job. What it finds is an error in the log, and `mismatches` in its counts and metrics."""

    async def run(_progress: Progress) -> Counts:
        checks = await compare()
        for check in checks:
            if not check.ok:
                log.error(
                    "integrity.broken", check=check.name, mismatches=check.mismatches, detail=check.detail
                )
        return {
            "checks": len(checks),
            "failed": sum(not check.ok for check in checks),
            "mismatches": sum(check.mismatches for check in checks),
        }

    about = "Compares balances, entries, lots and boards with each other."
    return Job("verify", about, "30 3 * * *", run, Queue.CALM, begins_on_time=True)
