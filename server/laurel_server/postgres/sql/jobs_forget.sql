-- Deletes old runs, but of each job the last one and the last that succeeded. $1: begun before this moment.
-- Result: the numbers of those deleted. Cost: the kept runs.
DELETE FROM job_runs r
 WHERE started_at < $1 AND state <> 1
   AND run_id NOT IN (SELECT max(run_id) FROM job_runs GROUP BY job)
   AND run_id NOT IN (SELECT max(run_id) FROM job_runs WHERE state = 2 GROUP BY job)
RETURNING run_id
