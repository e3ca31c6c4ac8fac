-- Deletes old answers from a stretch of pages: read by place, so that no index over the time is needed, which every award
-- would have to keep. $1, $2: the stretch of pages [first, last), $3: older than this by the machine's time. Result: how many. Cost: those pages.
WITH forgotten AS (
    DELETE FROM idempotency_keys
     WHERE ctid >= format('(%s,0)', $1::bigint)::tid AND ctid < format('(%s,0)', $2::bigint)::tid AND created_at < clock_timestamp() - $3::interval
    RETURNING 1
)
SELECT count(*) FROM forgotten
