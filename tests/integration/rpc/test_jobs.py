from laurel.admin.v1.jobs_pb2 import JobState, ListJobRunsRequest, ListJobsRequest, RunJobRequest
from laurel_server.domain.errors import Reason
from tests.integration.rpc.harness import Served, refused
from tests.unit.rpc.samples import NOW, stamp


async def test_a_job_is_run(served: Served) -> None:
    request = RunJobRequest(request_id="r", job="tidy")
    response = await served.admin.RunJob(request)
    run = response.run
    assert (run.run_id, run.job, run.state, dict(run.counts)) == (
        "1",
        "tidy",
        JobState.JOB_STATE_SUCCEEDED,
        {"tidied": 1},
    )
    assert (run.started_at, run.finished_at, run.error, response.replayed) == (
        stamp(NOW),
        stamp(NOW),
        "",
        False,
    )
    again = await served.admin.RunJob(request)
    assert (again.run, again.replayed) == (run, True)


async def test_what_is_wrong_with_a_request_is_named(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.RunJob(RunJobRequest(request_id="r", job="no_such_job"))
    assert refusal.fields.keys() == {"job"}
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.RunJob(RunJobRequest())
    assert refusal.fields.keys() == {"request_id", "job"}


async def test_jobs_are_listed(served: Served) -> None:
    (job,) = (await served.admin.ListJobs(ListJobsRequest())).jobs
    assert (job.job, job.description, job.schedule, job.next_run_at) == (
        "tidy",
        "Tidies up.",
        "5 0 * * *",
        stamp(NOW),
    )
    assert not job.HasField("last_run")
    await served.admin.RunJob(RunJobRequest(request_id="r", job="tidy"))
    (job,) = (await served.admin.ListJobs(ListJobsRequest())).jobs
    assert job.last_run.run_id == "1"


async def test_runs_are_listed_newest_first_page_by_page(served: Served) -> None:
    for number in range(5):
        await served.admin.RunJob(RunJobRequest(request_id=str(number), job="tidy"))
    first = await served.admin.ListJobRuns(ListJobRunsRequest(job="tidy", page_size=3))
    assert [run.run_id for run in first.runs] == ["5", "4", "3"]
    rest = await served.admin.ListJobRuns(
        ListJobRunsRequest(job="tidy", page_size=3, page_token=first.next_page_token)
    )
    assert ([run.run_id for run in rest.runs], rest.next_page_token) == (["2", "1"], "")
    with refused(Reason.PAGE_TOKEN_INVALID):
        await served.admin.ListJobRuns(ListJobRunsRequest(page_token=first.next_page_token))
