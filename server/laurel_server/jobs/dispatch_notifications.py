"""dispatch_notifications: users are told what concerns them, when it does not disturb them."""

from collections.abc import Awaitable, Callable

from laurel_server.events.delivery import Delivery
from laurel_server.jobs.job import Counts, Job, Progress, Queue


def dispatch_notifications(heard_all: Callable[[], Awaitable[bool]], delivery: Delivery) -> Job:
    """Return the job. `heard_all` waits a moment until all that happened before has become notifications."""

    async def run(_progress: Progress) -> Counts:
        await heard_all()
        return (await delivery.deliver())._asdict()

    return Job("dispatch_notifications", "Tells users what concerns them.", "* * * * *", run, Queue.OUTWARD)
