"""`laurel jobs`: what runs by itself, how it went, and running it now."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer
from rich.table import Table

from laurel_client import Job, JobRun, JobState, Laurel, as_plain
from laurel_server.commands.calling import REFUSED, Address, AsJson, Seconds, ask, print_json
from laurel_server.commands.tables import moment, new_table, open_console

_Job = Annotated[
    str, typer.Argument(metavar="JOB", help="The job to look at; default: all.", show_default=False)
]
_Run = Annotated[bool, typer.Option("--run", help="Run the job now, and wait for its end.")]

_RUNS: Final = 10
"""Runs that are shown of one job."""


def jobs(
    job: _Job = "", run: _Run = False, address: Address = "", timeout: Seconds = 900, as_json: AsJson = False
) -> None:
    """List the jobs; with JOB its latest runs; with JOB --run run it. Ends with 1 if the run failed."""
    if run and not job:
        raise typer.BadParameter("--run needs the name of a job")
    if run:
        _run(job, address, timeout, as_json=as_json)
    elif job:
        runs = ask(lambda laurel: _latest(laurel, job), address, as_json=as_json, seconds=timeout)
        _show({"runs": runs}, _runs_table(runs), as_json=as_json)
    else:
        listed = ask(lambda laurel: laurel.admin.list_jobs(), address, as_json=as_json, seconds=timeout)
        _show({"jobs": list(listed)}, _jobs_table(listed), as_json=as_json)


def _run(job: str, address: str, timeout: float, *, as_json: bool) -> None:
    made = ask(lambda laurel: laurel.admin.run_job(job), address, as_json=as_json, seconds=timeout)
    if as_json:
        print_json(as_plain(made))
    else:
        open_console().print(_runs_table([made]))
    if made.state == JobState.JOB_STATE_FAILED:
        raise typer.Exit(REFUSED)


async def _latest(laurel: Laurel, job: str) -> list[JobRun]:
    runs: list[JobRun] = []
    async for run in laurel.admin.list_job_runs(job):
        runs.append(run)
        if len(runs) == _RUNS:
            break
    return runs


def _show(content: dict[str, list[Job] | list[JobRun]], table: Table, *, as_json: bool) -> None:
    if as_json:
        print_json({name: [as_plain(each) for each in rows] for name, rows in content.items()})
    else:
        open_console().print(table)


def _jobs_table(listed: Sequence[Job]) -> Table:
    table = new_table("job", "when", "last run", "ended", "next")
    for job in listed:
        last = job.last_run
        table.add_row(job.job, job.schedule, _state(last), moment(last.finished_at), moment(job.next_run_at))
    return table


def _runs_table(runs: list[JobRun]) -> Table:
    table = new_table("job", "started", "state", "did")
    for run in runs:
        done = ", ".join(
            f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(run.counts.items()) if count
        )
        table.add_row(run.job, moment(run.started_at), _state(run), run.error or done or "nothing was due")
    return table


def _state(run: JobRun) -> str:
    return JobState.Name(run.state).removeprefix("JOB_STATE_").lower() if run.run_id else "never"
