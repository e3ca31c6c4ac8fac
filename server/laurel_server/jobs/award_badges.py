"""award_badges: places on the global all-time board unlock badges."""

from laurel_server.jobs.job import Counts, Job, Progress
from laurel_server.ranking.badges import Badges


def award_badges(badges: Badges) -> Job:
    """Return the job. It also gives everybody what a new or changed definition owes him."""

    async def run(progress: Progress) -> Counts:
        by_standing = await badges.award_by_standing(lambda given: progress(by_standing=given))
        swept = await badges.sweep(lambda given: progress(swept=given))
        return {"by_standing": by_standing, "swept": swept}

    return Job("award_badges", "Gives the badges that ranks decide.", "17 * * * *", run)
