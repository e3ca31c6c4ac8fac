-- When the last run that succeeded was begun. A test clock that was turned back makes later ones count for nothing.
-- $1: job, $2: now. Cost: one index look-up.
SELECT max(started_at) FROM job_runs WHERE job = $1 AND state = 2 AND started_at <= $2
