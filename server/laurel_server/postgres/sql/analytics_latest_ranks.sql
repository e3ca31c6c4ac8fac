-- Until when ranks have been noted for days. Result: NULL when never were. Cost: an index range of the runs of that job.
SELECT max(finished_at) FROM job_runs WHERE job = 'snapshot_ranks' AND state = 2
