"""dispatch_notifications: users are told what concerns them, when it does not disturb them."""

from laurel_server.events.delivery import Delivery
from laurel_server.events.notifier import Notifier
from laurel_server.jobs.job import Counts, Job, Progress


def dispatch_notifications(notifier: Notifier, delivery: Delivery) -> Job:
    """Return the job."""

    async def run(progress: Progress) -> Counts:
        made = await notifier.read()
        progress(made=made)
        return {"made": made, **(await delivery.deliver())._asdict()}

    return Job("dispatch_notifications", "Tells users what concerns them.", "* * * * *", run)
