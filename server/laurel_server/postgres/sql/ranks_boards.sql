-- Boards whose period had not ended at $1, by period, with its bounds (NULL: all-time) and its number.
SELECT scope, period_id, starts_at, ends_at, instance_no FROM board_periods
 WHERE ends_at IS NULL OR ends_at > $1 ORDER BY period_id, ends_at, scope
