-- Boards of periods that ended at $1 and are not completed, by period, shorter periods first.
SELECT scope, period_id FROM board_periods WHERE ends_at = $1 AND state < 3 ORDER BY period_type, period_id, scope
