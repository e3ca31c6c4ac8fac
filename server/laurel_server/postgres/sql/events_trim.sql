-- Removes the oldest rows of the outbox: those above an age, those beyond a number, and those up to a batch, so that the outbox is bounded
-- whatever its readers do. Rows that the boards have not followed stay, and so does the newest, by which repair knows how
-- far the boards have come. A reader that had not passed a row has a gap from now on.
-- $1: how old a row may become (interval), $2: how many batches back it may be, $3: how many rows are removed at most,
-- $4: the readers that read now, $5: rows up to this batch are too many bytes.
-- Result: how many were removed, and how many of those some of these readers had not passed. Cost: an index range of what is removed.
WITH oldest AS (
    SELECT batch_no, xid, created_at FROM outbox WHERE projected ORDER BY batch_no LIMIT $3
), doomed AS (
    SELECT batch_no, xid FROM oldest
     WHERE batch_no < (SELECT max(batch_no) FROM outbox)
       AND (created_at < clock_timestamp() - $1::interval
            OR batch_no <= (SELECT max(batch_no) FROM outbox) - $2::bigint
            OR batch_no <= $5::bigint)
), removed AS (
    DELETE FROM outbox o USING doomed d WHERE o.batch_no = d.batch_no RETURNING d.batch_no, d.xid::text::bigint AS xid
), unread AS (
    SELECT r.batch_no, p.reader FROM removed r JOIN event_positions p ON r.xid >= p.until_xid OR r.xid >= p.from_xid AND r.batch_no > p.batch_no
), noted AS (
    UPDATE event_positions SET gaps = gaps + 1 WHERE reader IN (SELECT reader FROM unread)
)
SELECT (SELECT count(*) FROM removed) AS removed,
       (SELECT count(DISTINCT batch_no) FROM unread WHERE reader = ANY ($4::text[])) AS unread
