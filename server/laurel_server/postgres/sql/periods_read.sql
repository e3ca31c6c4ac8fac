-- One period of a board. $1: scope, $2: period.
SELECT p.starts_at, p.ends_at, p.state, s.participants FROM board_periods p LEFT JOIN leaderboard_snapshots s USING (scope, period_id)
 WHERE p.scope = $1 AND p.period_id = $2
