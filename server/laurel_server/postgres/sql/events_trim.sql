-- Removes the oldest rows of the outbox: those above an age, and those beyond a number, so that the outbox is bounded
-- whatever its readers do. Rows that the boards have not followed stay, and so does the newest, by which repair knows how
-- far the boards have come.
-- $1: how old a row may become (interval), $2: how many batches back it may be, $3: how many rows are removed at most.
-- Result: how many were removed, and how many of those some reader had not passed. Cost: an index range of what is removed.
WITH oldest AS (
    SELECT batch_no, xid, created_at FROM outbox WHERE projected ORDER BY batch_no LIMIT $3
), doomed AS (
    SELECT batch_no, xid FROM oldest
     WHERE batch_no < (SELECT max(batch_no) FROM outbox)
       AND (created_at < clock_timestamp() - $1::interval
            OR batch_no <= (SELECT max(batch_no) FROM outbox) - $2::bigint)
), removed AS (
    DELETE FROM outbox o USING doomed d WHERE o.batch_no = d.batch_no RETURNING d.batch_no, d.xid::text::bigint AS xid
)
SELECT count(*) AS removed,
       count(*) FILTER (WHERE EXISTS (SELECT FROM event_positions p
                                       WHERE xid >= p.until_xid OR xid >= p.from_xid AND removed.batch_no > p.batch_no)) AS unread
  FROM removed
