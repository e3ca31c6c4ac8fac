-- The next batches after a number, in order. $1: after this batch number, $2: how many at most.
SELECT batch_no, user_nos, events::text AS events FROM outbox WHERE batch_no > $1 ORDER BY batch_no LIMIT $2
