-- Deletes periods, which are locked, with their snapshots. $1: scopes, $2: period ids.
DELETE FROM leaderboard_periods p USING unnest($1::text[], $2::text[]) AS g(scope, period_id)
 WHERE p.scope = g.scope AND p.period_id = g.period_id
