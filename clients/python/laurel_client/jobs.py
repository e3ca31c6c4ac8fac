"""AdminService: jobs."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from laurel.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from laurel.admin.v1.jobs_pb2 import Job, JobRun, ListJobRunsRequest, ListJobsRequest, RunJobRequest
from laurel_client.caller import Caller
from laurel_client.requests import new_request_id

_UNTIL_THE_END: Final = 900.0
"""Seconds that a run may take: as long as the server lets it."""


class Jobs:
    """Runs jobs and tells how they went."""

    def __init__(self, stub: AdminServiceStub, caller: Caller) -> None:
        self._stub = stub
        self._caller = caller

    async def run_job(self, job: str, *, request_id: str = "") -> JobRun:
        """Run a job now, and return how it went. Waits for its end, up to 15 minutes."""
        request = RunJobRequest(request_id=request_id or new_request_id(), job=job)
        return (await self._caller.call(self._stub.RunJob, request, _UNTIL_THE_END)).run

    async def list_jobs(self) -> Sequence[Job]:
        """Return all jobs, with when they run and how they went last."""
        pages = self._caller.pages(self._stub.ListJobs, ListJobsRequest())
        return [job async for page in pages for job in page.jobs]

    async def list_job_runs(self, job: str = "") -> AsyncIterator[JobRun]:
        """Yield the runs of one job, or of all, newest first."""
        async for page in self._caller.pages(self._stub.ListJobRuns, ListJobRunsRequest(job=job)):
            for run in page.runs:
                yield run
