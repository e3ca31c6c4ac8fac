-- How many batches are not on the boards yet. Cost: an index of those batches alone.
SELECT count(*) FROM outbox WHERE NOT projected
