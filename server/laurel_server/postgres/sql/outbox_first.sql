-- The oldest batch that is in the outbox; NULL if it is empty. Cost: one index look-up.
SELECT min(batch_no) FROM outbox
