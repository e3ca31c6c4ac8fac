-- One run. $1: its number.
SELECT run_id, job, state, started_at, finished_at, counts::text AS counts, error FROM job_runs WHERE run_id = $1
