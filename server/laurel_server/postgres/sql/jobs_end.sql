-- Ends a run. $1: run, $2: state, $3: the business time, $4: counts as JSON, $5: error.
UPDATE job_runs SET state = $2, finished_at = $3, counts = $4::text::jsonb, error = $5 WHERE run_id = $1
