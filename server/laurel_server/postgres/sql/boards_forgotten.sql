-- Periods of boards that are gone, with the numbers of slots over which Redis may have keys of them: who has placed users by the
-- board and hears only then that it is gone writes them in one piece. Cost: all periods.
SELECT p.scope, p.period_id, array_append(array_agg(DISTINCT r.slots) FILTER (WHERE r.slots > 1), 1::smallint) AS slots
  FROM forgotten_periods p
  LEFT JOIN board_remains r
    ON r.period_type = p.period_type AND (r.scope = p.scope OR r.scope = split_part(p.scope, ':', 1) || ':*')
 GROUP BY 1, 2 ORDER BY 1, 2
