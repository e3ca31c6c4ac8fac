"""Jobs of tests, and servers that run them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from laurel_server.domain.clock import SandboxClock
from laurel_server.domain.jobs import JobState, RunRequest
from laurel_server.jobs.job import Counts, Job, Progress, Queue
from laurel_server.jobs.runner import JobRunner
from laurel_server.postgres.leases import Leases
from laurel_server.postgres.pool import Pool, create_pool

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAILY, HOURLY = "0 0 * * *", "0 * * * *"


@dataclass
class Work:
    """What the jobs of a test do: `do` is called with the name of the job."""

    done: list[str] = field(default_factory=list)
    do: Callable[[str], Awaitable[None]] | None = None

    def job(self, name: str, schedule: str = DAILY, queue: Queue = Queue.PATIENT) -> Job:
        async def run(progress: Progress) -> Counts:
            progress(done=len(self.done))
            if self.do is not None:
                await self.do(name)
            self.done.append(name)
            return {"done": len(self.done)}

        return Job(name, "Works.", schedule, run, queue)


@dataclass
class Server:
    runner: JobRunner
    leases: Leases
    pool: Pool


@asynccontextmanager
async def server(
    dsn: str, clock: SandboxClock, *jobs: Job, interval: float = 0.02, scheduled: bool = True
) -> AsyncIterator[Server]:
    pool = await create_pool(dsn, 1, 4, 10)
    leases = Leases(dsn)
    runner = JobRunner(jobs, pool, leases, clock, UTC, scheduled=scheduled, interval=interval)
    try:
        yield Server(runner, leases, pool)
    finally:
        await runner.close()
        await pool.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the runner tells nobody
            await asyncio.sleep(0.01)


def asked(number: int, body: bytes = b"") -> RunRequest:
    return RunRequest(number.to_bytes(16, "big"), body, str(number))


async def finished(runner: JobRunner, job: str = "") -> Sequence[tuple[str, JobState]]:
    return [(run.job, run.state) for run in reversed(await runner.runs(job, 1 << 62, 100))]
