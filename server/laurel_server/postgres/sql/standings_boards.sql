-- All board instances that have ever had a member, oldest periods first.
SELECT scope, period_id FROM leaderboard_periods ORDER BY starts_at NULLS LAST, scope
