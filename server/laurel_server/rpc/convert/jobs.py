"""Jobs and their runs."""

from laurel.admin.v1.jobs_pb2 import Job, JobState
from laurel.admin.v1.jobs_pb2 import JobRun as JobRunMessage
from laurel_server.domain.jobs import JobRun, JobStatus
from laurel_server.rpc.convert.times import write_moment


def write_run(target: JobRunMessage, run: JobRun) -> None:
    """Fill the empty `target` with a run."""
    target.run_id = str(run.run_id)
    target.job = run.job
    target.state = JobState.ValueType(run.state)
    write_moment(target.started_at, run.started_at)
    write_moment(target.finished_at, run.finished_at)
    target.counts.update(run.counts)
    target.error = run.error


def write_job(target: Job, status: JobStatus) -> None:
    """Fill the empty `target` with a job."""
    target.job = status.job
    target.description = status.description
    target.schedule = status.schedule
    write_moment(target.next_run_at, status.next_run_at)
    if status.last_run is not None:
        write_run(target.last_run, status.last_run)
