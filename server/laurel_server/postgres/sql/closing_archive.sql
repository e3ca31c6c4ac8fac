-- Archives completed boards of periods that ended at or before $1. Result: every board whose keys are to leave Redis.
WITH archived AS (
    UPDATE board_periods SET state = 4 WHERE state = 3 AND ends_at <= $1 RETURNING scope, period_id
)
SELECT scope, period_id FROM archived
UNION
SELECT scope, period_id FROM board_periods WHERE state = 4 AND dropped_at IS NULL
