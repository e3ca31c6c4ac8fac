-- All instances of score boards that have ever had a member and belong in Redis: not those that are archived.
SELECT scope, period_id FROM board_periods WHERE board_no IS NOT NULL AND state <> 4 ORDER BY 1, 2
