"""Jobs that run as a test tells them."""

from laurel_server.domain.errors import invalid_field
from laurel_server.domain.jobs import JobRun, JobState, JobStatus, RunRequest
from tests.unit.rpc.samples import NOW


class StandInJobs:
    """Has one job, `tidy`, whose runs are numbered from 1."""

    def __init__(self) -> None:
        self.requests: list[RunRequest] = []

    async def run_now(self, name: str, request: RunRequest) -> tuple[JobRun, bool]:
        if name != "tidy":
            raise invalid_field("job", "must be tidy")
        if request in self.requests:
            return self._run(self.requests.index(request) + 1), True
        self.requests.append(request)
        return self._run(len(self.requests)), False

    async def statuses(self) -> list[JobStatus]:
        last = self._run(len(self.requests)) if self.requests else None
        return [JobStatus("tidy", "Tidies up.", "5 0 * * *", NOW, last)]

    async def runs(self, job: str, before: int, limit: int) -> list[JobRun]:
        numbers = [n for n in range(len(self.requests), 0, -1) if n < before and job in {"", "tidy"}]
        return [self._run(n) for n in numbers[:limit]]

    def _run(self, number: int) -> JobRun:
        return JobRun(number, "tidy", JobState.SUCCEEDED, NOW, NOW, {"tidied": number}, "")
