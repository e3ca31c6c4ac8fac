-- Winners of boards, best first. $1: scopes, $2: periods. Cost: those rows.
SELECT w.scope, w.period_id, CASE WHEN u.erased_at IS NULL THEN u.user_id ELSE '' END AS user_id, w.rank, w.score, w.bonus_points, w.transaction_id
  FROM period_winners w JOIN users u USING (user_no)
 WHERE (w.scope, w.period_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
 ORDER BY w.scope, w.period_id, w.rank, w.transaction_id, w.user_no
