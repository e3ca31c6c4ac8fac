-- Completes boards of periods that ended at $4, whose snapshots are taken: one that was created again since, with resets by which
-- its period of the same id goes on, is another board. $1: scopes, $2: periods, $3: now. Result: those that were not, by period.
UPDATE board_periods b SET state = 3, completed_at = $3
  FROM unnest($1::text[], $2::text[]) AS c(scope, period_id)
 WHERE b.scope = c.scope AND b.period_id = c.period_id AND b.state < 3 AND b.ends_at = $4
   AND EXISTS (SELECT FROM leaderboard_snapshots s WHERE s.scope = b.scope AND s.period_id = b.period_id)
RETURNING b.scope, b.period_id
