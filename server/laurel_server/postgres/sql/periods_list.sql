-- Periods of a board, newest first. $1: scope, $2: period type, $3: begun before this moment (NULL: no bound), $4: how many.
-- Cost: an index range.
SELECT p.scope, p.period_id, p.starts_at, p.ends_at, p.state, s.participants
  FROM board_periods p LEFT JOIN leaderboard_snapshots s USING (scope, period_id)
 WHERE p.scope = $1 AND p.period_type = $2 AND ($3::timestamptz IS NULL OR p.starts_at < $3)
 ORDER BY p.starts_at DESC NULLS FIRST LIMIT $4
