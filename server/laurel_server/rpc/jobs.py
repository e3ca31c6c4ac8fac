"""AdminService: jobs."""

import hashlib
from collections.abc import Sequence
from typing import Final, Protocol

from laurel.admin.v1.jobs_pb2 import (
    ListJobRunsRequest,
    ListJobRunsResponse,
    ListJobsRequest,
    ListJobsResponse,
    RunJobRequest,
    RunJobResponse,
)
from laurel_server.domain.identifiers import idempotency_key
from laurel_server.domain.jobs import JobRun, JobStatus, RunRequest
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.jobs import write_job, write_run
from laurel_server.rpc.paging import PageTokens, page_size, write_page

DEFAULT_PAGE_SIZE: Final = 100
FAMILY: Final = "RunJob"

_NEWEST = (1 << 63) - 1


class Jobs(Protocol):
    """Runs jobs and knows how they went."""

    async def run_now(self, name: str, request: RunRequest) -> tuple[JobRun, bool]:
        """Run a job to its end; True: the request had led to that run before. INVALID_FIELD, IDEMPOTENCY_CONFLICT."""
        ...

    async def statuses(self) -> Sequence[JobStatus]:
        """Return all jobs."""
        ...

    async def runs(self, job: str, before: int, limit: int) -> Sequence[JobRun]:
        """Return runs with numbers below `before`, newest first; of every job for "". INVALID_FIELD."""
        ...


class JobsServicer:
    """Runs and lists jobs, for operators."""

    service = methods.ADMIN

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._job_tokens = PageTokens("ListJobs")
        self._run_tokens = PageTokens("ListJobRuns")

    async def RunJob(self, request: RunJobRequest, call: CallContext) -> RunJobResponse:
        """Run a job now."""
        digest = hashlib.blake2b(request.SerializeToString(deterministic=True), digest_size=16).digest()
        key = idempotency_key(FAMILY, call.caller, request.request_id)
        run, replayed = await self._jobs.run_now(request.job, RunRequest(key, digest, request.request_id))
        response = RunJobResponse(replayed=replayed)
        write_run(response.run, run)
        return response

    async def ListJobs(self, request: ListJobsRequest, call: CallContext) -> ListJobsResponse:
        """Read all jobs by name."""
        after = self._job_tokens.position(request.page_token)
        statuses = sorted(
            (status for status in await self._jobs.statuses() if status.job > after),
            key=lambda status: status.job,
        )
        response = ListJobsResponse()
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        written = write_page(response.jobs, statuses[:size], write_job)
        if written < len(statuses):
            response.next_page_token = self._job_tokens.issue(statuses[written - 1].job)
        return response

    async def ListJobRuns(self, request: ListJobRunsRequest, call: CallContext) -> ListJobRunsResponse:
        """Read runs of jobs, newest first."""
        before = self._run_tokens.offset(request.page_token, request.job) or _NEWEST
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        runs = await self._jobs.runs(request.job, before, size + 1)
        response = ListJobRunsResponse()
        written = write_page(response.runs, runs[:size], write_run)
        if written < len(runs):
            response.next_page_token = self._run_tokens.issue(runs[written - 1].run_id, request.job)
        return response
