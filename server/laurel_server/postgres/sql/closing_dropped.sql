-- Notes that the keys of boards are out of Redis. $1: scopes, $2: periods, $3: now.
UPDATE leaderboard_periods l SET dropped_at = $3
  FROM unnest($1::text[], $2::text[]) AS d(scope, period_id) WHERE l.scope = d.scope AND l.period_id = d.period_id
