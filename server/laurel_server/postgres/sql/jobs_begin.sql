-- Begins a run; runs of the job that were never ended are ended as failed. Runs with the job's lease held.
-- $1: job, $2: the business time, $3: why those others failed. Result: the run's number. Cost: two index look-ups.
WITH abandoned AS (
    UPDATE job_runs SET state = 3, finished_at = $2, error = $3 WHERE job = $1 AND state = 1
)
INSERT INTO job_runs (job, state, started_at) VALUES ($1, 1, $2) RETURNING run_id
