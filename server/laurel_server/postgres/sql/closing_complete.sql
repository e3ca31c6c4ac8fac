-- Completes boards of periods that are over. $1: scopes, $2: periods, $3: now. Result: those that were not, by period.
UPDATE board_periods b SET state = 3, completed_at = $3
  FROM unnest($1::text[], $2::text[]) AS c(scope, period_id)
 WHERE b.scope = c.scope AND b.period_id = c.period_id AND b.state < 3
RETURNING b.scope, b.period_id
