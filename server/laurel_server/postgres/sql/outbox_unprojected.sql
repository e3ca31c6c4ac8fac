-- Batches that no server has said to be on the boards. Those younger than $1 (interval) are left to the server that made
-- them, and so are those of $3, whatever their age. $2: how many at most. Cost: an index of those batches alone.
SELECT batch_no, user_nos, events::text AS events FROM outbox
 WHERE NOT projected AND created_at < clock_timestamp() - $1::interval AND batch_no <> ALL ($3::bigint[])
 ORDER BY batch_no LIMIT $2
