-- The batch since which no answer has been forgotten: answers are kept for a day at least, less some time for a busy machine and
-- for batches that passed each other on their way. NULL: nothing is that young.
-- Batches grow with time, so it is looked for by halves. Cost: at most some 60 index look-ups, however large the outbox is.
WITH RECURSIVE search (low, high, since) AS (
    SELECT min(batch_no), max(batch_no) + 1, clock_timestamp() - interval '23 hours' FROM outbox
    UNION ALL
    SELECT CASE WHEN following.created_at <= since THEN following.batch_no + 1 ELSE low END,
           CASE WHEN following.created_at <= since THEN high ELSE middle END, since
      FROM search CROSS JOIN LATERAL (SELECT low + (high - low) / 2 AS middle) m
      LEFT JOIN LATERAL (SELECT batch_no, created_at FROM outbox WHERE batch_no >= middle AND batch_no < high
                          ORDER BY batch_no LIMIT 1) following ON true
     WHERE low < high
)
SELECT batch_no FROM outbox WHERE batch_no >= (SELECT low FROM search WHERE low = high) ORDER BY batch_no LIMIT 1
