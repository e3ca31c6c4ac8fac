-- Whether the outbox still has all that came after batch $1: it has that batch or one before, or nothing was ever removed.
-- Cost: an index look-up.
SELECT $1::bigint = 0 OR EXISTS (SELECT FROM outbox WHERE batch_no <= $1::bigint)
