-- The next rows of a window, in order. $1: after this batch number, $2 and $3: from and until which transaction id,
-- $4: how many at most. Result: age in seconds since they were committed. Cost: an index range of the rows.
SELECT batch_no, projected, extract(epoch FROM clock_timestamp() - created_at)::float8 AS age, user_nos, events::text AS events
  FROM outbox
 WHERE batch_no > $1 AND xid >= $2::bigint::text::xid8 AND xid < $3::bigint::text::xid8
 ORDER BY batch_no LIMIT $4
