"""What runs by itself: one file a job.

To add a job:

1. Write the use case where it belongs (`rewards/`, `ranking/`, ...), as a coroutine that can be killed anywhere and run
   again: it does what is due by the business clock and is not done yet, and catches up on what was missed.
2. Add `jobs/NAME.py` with a function that returns a `Job`: its name, one sentence, a schedule in the form of cron,
   `run`, and the queue in which it waits for its turn. `run` returns counts by name, such as `{"closed": 3}`; long ones
   call `progress(closed=2)` on their way.
3. Add it to `_jobs` in `runtime/wiring.py`. Jobs that are due together run in that order.

The framework does the rest: a job runs on one server at a time (a lease in PostgreSQL), missed runs are made up for at
start by one run, a failed one is tried again, `SetClock` waits for what became due, RunJob and ListJobRuns know it, and
its last success, duration and progress are in the metrics.
"""
