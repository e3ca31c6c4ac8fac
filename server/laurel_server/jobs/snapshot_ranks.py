"""snapshot_ranks: where everybody stands at the end of the day is written down."""

from collections.abc import Awaitable, Callable

from laurel_server.jobs.job import Counts, Job, Progress, Queue

Take = Callable[[Callable[[int], None]], Awaitable[Counts]]


def snapshot_ranks(take: Take) -> Job:
    """Return the job."""

    async def run(progress: Progress) -> Counts:
        return await take(lambda lines: progress(lines=lines))

    return Job(
        "snapshot_ranks", "Notes the rank of everybody on every board.", "50 23 * * *", run, Queue.PROMPT
    )
