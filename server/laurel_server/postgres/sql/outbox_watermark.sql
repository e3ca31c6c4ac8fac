-- The batch number up to which every batch is on the boards. Cost: two index look-ups.
SELECT coalesce((SELECT min(batch_no) - 1 FROM outbox WHERE NOT projected), (SELECT max(batch_no) FROM outbox), 0)::bigint
