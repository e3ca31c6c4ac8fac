-- The next rows of a window, in order. $1: after this batch number, $2 and $3: from and until which transaction id,
-- $4: how many at most, $5: up to the one that makes so many events of them; more than are wanted would be read in vain.
-- Result: age in seconds since they were committed. Cost: an index range of the rows; events are fetched of those alone.
SELECT batch_no, projected, extract(epoch FROM clock_timestamp() - created_at)::float8 AS age, user_nos, events::text AS events
  FROM (SELECT *, sum(cardinality(user_nos)) OVER (ORDER BY batch_no) - cardinality(user_nos) AS events_before
          FROM (SELECT batch_no, projected, created_at, user_nos, events
                  FROM outbox
                 WHERE batch_no > $1 AND xid >= $2::bigint::text::xid8 AND xid < $3::bigint::text::xid8
                 ORDER BY batch_no LIMIT $4) following) counted
 WHERE events_before < $5 ORDER BY batch_no
