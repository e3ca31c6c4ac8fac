-- The last run of every job. Cost: the kept runs.
SELECT DISTINCT ON (job) run_id, job, state, started_at, finished_at, counts::text AS counts, error
  FROM job_runs ORDER BY job, run_id DESC
