-- Deletes old notifications that wait no longer from a stretch of pages: read by place, so that no index over the time is needed.
-- $1, $2: the stretch of pages [first, last), $3: made before. Result: how many. Cost: those pages.
WITH forgotten AS (
    DELETE FROM notifications
     WHERE ctid >= format('(%s,0)', $1::bigint)::tid AND ctid < format('(%s,0)', $2::bigint)::tid AND created_at < $3 AND state <> 1
    RETURNING 1
)
SELECT count(*) FROM forgotten
