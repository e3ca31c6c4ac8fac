-- Boards whose standings still change, by period.
SELECT scope, period_id FROM leaderboard_periods WHERE state < 3 ORDER BY period_id, scope
