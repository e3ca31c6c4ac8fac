-- Runs, newest first. $1: job or '' for every, $2: below this number, $3: how many.
SELECT run_id, job, state, started_at, finished_at, counts::text AS counts, error
  FROM job_runs WHERE ($1 = '' OR job = $1) AND run_id < $2 ORDER BY run_id DESC LIMIT $3
