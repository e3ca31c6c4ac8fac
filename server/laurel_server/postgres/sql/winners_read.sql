-- Winners of boards, best first, of each board $3 at most. $1: scopes, $2: periods. Cost: the winners of the boards, sorted.
SELECT w.scope, w.period_id, CASE WHEN u.erased_at IS NULL THEN u.user_id ELSE '' END AS user_id, w.rank, w.score,
       w.bonus_points, w.transaction_id, w.user_no
  FROM unnest($1::text[], $2::text[]) AS asked(scope, period_id) JOIN board_periods USING (scope, period_id)
  CROSS JOIN LATERAL (
      SELECT * FROM period_winners b WHERE b.scope = asked.scope AND b.period_id = asked.period_id
       ORDER BY b.rank, b.transaction_id, b.user_no LIMIT $3
  ) w
  JOIN users u USING (user_no)
 ORDER BY w.scope, w.period_id, w.rank, w.transaction_id, w.user_no
