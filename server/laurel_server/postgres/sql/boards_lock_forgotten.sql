-- Locks those of some periods that are of no board, also against those who still write what hangs on them.
-- $1: scopes, $2: period ids. Result: which they are.
SELECT scope, period_id FROM forgotten_periods JOIN unnest($1::text[], $2::text[]) AS g(scope, period_id) USING (scope, period_id)
 ORDER BY scope, period_id FOR UPDATE OF forgotten_periods
