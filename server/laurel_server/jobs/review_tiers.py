"""review_tiers: everybody is in the tier that his points reach."""

from collections.abc import Awaitable, Callable

from laurel_server.jobs.job import Counts, Job, Progress

Run = Callable[[Callable[[dict[str, int]], None]], Awaitable[Counts]]


def review_tiers(review: Run) -> Job:
    """Return the job."""

    async def run(progress: Progress) -> Counts:
        return await review(lambda counts: progress(**counts))

    return Job(
        "review_tiers", "Promotes and demotes users whose points reach another tier.", "31 3 * * *", run
    )
