-- When each job last succeeded. Cost: the kept runs.
SELECT job, max(finished_at) AS finished_at FROM job_runs WHERE state = 2 GROUP BY job
