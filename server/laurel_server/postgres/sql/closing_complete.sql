-- Completes the boards of periods that ended at $1. $2: now. Result: those that were not, by period.
UPDATE board_periods SET state = 3, completed_at = $2 WHERE ends_at = $1 AND state < 3
RETURNING scope, period_id
