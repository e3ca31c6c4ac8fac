"""close_periods: periods that are over are frozen, paid for and completed, and old ones leave Redis."""

from collections.abc import Awaitable, Callable

from laurel_server.jobs.job import Counts, Job, Progress, Queue

Close = Callable[[Callable[[int], None]], Awaitable[Counts]]


def close_periods(close: Close) -> Job:
    """Return the job. It looks every minute, so a period is closed within a minute after its grace."""

    async def run(progress: Progress) -> Counts:
        return await close(lambda closed: progress(closed=closed))

    return Job(
        "close_periods",
        "Freezes periods that are over, pays winners, archives old ones.",
        "* * * * *",
        run,
        Queue.PROMPT,
    )
