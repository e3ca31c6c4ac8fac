"""expire_points: what has expired is posted, holds that timed out are closed, and owners are warned before."""

from laurel_server.jobs.job import Counts, Job, Progress
from laurel_server.rewards.expiry import Expiry


def expire_points(expiry: Expiry) -> Job:
    """Return the job."""

    async def run(progress: Progress) -> Counts:
        return await expiry.run(lambda counts: progress(**counts))

    return Job(
        "expire_points",
        "Posts expired points, closes holds that timed out, and warns owners.",
        "7 * * * *",
        run,
    )
