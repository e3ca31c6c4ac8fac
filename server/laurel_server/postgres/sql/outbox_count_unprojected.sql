-- How many batches up to $1 are not on the boards yet. Cost: an index of those batches alone.
SELECT count(*) FROM outbox WHERE NOT projected AND batch_no <= $1
