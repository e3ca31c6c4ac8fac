-- All instances of points boards that have ever had a member, but those that are archived and so not kept in Redis; oldest periods first.
SELECT scope, period_id FROM board_periods WHERE board_no IS NULL AND state <> 4 ORDER BY starts_at NULLS LAST, scope
