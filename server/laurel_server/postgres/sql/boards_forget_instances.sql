-- Forgets instances of points boards, so that nobody was ever on them. $1: scopes, $2: period ids.
DELETE FROM leaderboard_periods p USING unnest($1::text[], $2::text[]) AS gone(scope, period_id)
 WHERE p.scope = gone.scope AND p.period_id = gone.period_id
