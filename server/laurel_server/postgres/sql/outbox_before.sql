-- The newest committed batch that is at least $1 (interval) old; 0 if there is none.
-- Cost: as many rows of an index as batches are younger.
SELECT coalesce((SELECT batch_no FROM outbox WHERE created_at <= clock_timestamp() - $1::interval ORDER BY batch_no DESC LIMIT 1), 0)
