-- Registers instances of score boards before their first member. Result: those that were not there, so are provably empty.
-- $1: board numbers, $2: period ids, $3: starts, $4: ends (NULL: no resets); sorted, so that two batches queue.
INSERT INTO score_periods (board_no, period_id, starts_at, ends_at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[])
ON CONFLICT (board_no, period_id) DO NOTHING
RETURNING board_no, period_id
