"""birthday_bonus: a bonus for everybody whose birthday it is."""

from collections.abc import Awaitable, Callable

from laurel_server.jobs.job import Counts, Job, Progress

Run = Callable[[Callable[[dict[str, int]], None]], Awaitable[Counts]]


def birthday_bonus(run_birthdays: Run) -> Job:
    """Return the job. Each run looks at the day of the one before again: somebody may have told his birthday since."""

    async def run(progress: Progress) -> Counts:
        return await run_birthdays(lambda counts: progress(**counts))

    return Job("birthday_bonus", "Gives BIRTHDAY_BONUS once a year.", "1 0 * * *", run)
