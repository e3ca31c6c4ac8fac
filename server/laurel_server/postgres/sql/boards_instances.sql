-- Instances of a board that may be in Redis: all but those that are archived and have been taken out of it. $1: the number of
-- a score board, NULL of a points board; $2, $3: its scope (`country:*`: of those that have no board for themselves) and period
-- type.
-- Cost: all rows of that type, and the boards.
SELECT scope, period_id FROM board_periods
 WHERE board_no IS NOT DISTINCT FROM $1 AND period_type = $3 AND dropped_at IS NULL
   AND (scope = $2 OR split_part(scope, ':', 1) || ':*' = $2
                      AND (scope, period_type) NOT IN (SELECT scope, period_type FROM boards WHERE kind = 1))
 ORDER BY 1, 2
