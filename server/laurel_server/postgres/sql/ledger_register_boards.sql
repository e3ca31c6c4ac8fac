-- Registers board instances before their first member. Result: those that were not there, so are provably empty.
-- $1: scopes, $2: period ids, $3: period types, $4: starts, $5: ends (NULL: all-time); sorted, so that two batches queue.
INSERT INTO leaderboard_periods (scope, period_id, period_type, starts_at, ends_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::timestamptz[], $5::timestamptz[])
ON CONFLICT (scope, period_id) DO NOTHING
RETURNING scope, period_id
