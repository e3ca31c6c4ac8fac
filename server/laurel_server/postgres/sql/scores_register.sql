-- Registers instances of score boards before their first member. Result: those that were not there, so are provably empty.
-- $1: board ids, $2: board numbers, $3: period ids, $4: starts, $5: ends (NULL: no resets); sorted, so that two batches queue.
INSERT INTO leaderboard_periods (scope, board_no, period_id, starts_at, ends_at, period_type)
SELECT *, 6 FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[])
ON CONFLICT (scope, period_id) DO NOTHING
RETURNING board_no, period_id
