-- The next winners of a period who are not paid, with the request that pays them, and the entry that paid them if there is one
-- after all: the payment was committed, and whoever made it died before it could say so. A score board has its number in
-- the request: one that was created again pays for itself, also for a period with the same id.
-- $1: the period, $2: how many, $3: no such entry has a smaller transaction_id. Cost: an index look-up a winner and month
-- since then.
SELECT w.scope, w.period_id, w.user_no, CASE WHEN u.erased_at IS NULL THEN u.user_id ELSE '' END AS user_id, w.rank, w.score, w.bonus_points, payment.request_id, p.transaction_id
  FROM period_winners w JOIN users u USING (user_no) JOIN board_periods l USING (scope, period_id)
  CROSS JOIN LATERAL (
      SELECT 'close/' || w.scope || coalesce('/' || l.board_no, '') || '/' || w.period_id || '/' || w.user_no AS request_id
  ) payment
  LEFT JOIN LATERAL (
      SELECT t.transaction_id FROM reward_transactions t
       WHERE t.user_no = w.user_no AND t.transaction_id >= $3
         AND t.request_id = payment.request_id AND t.created_by = 'laurel'
       LIMIT 1
  ) p ON true
 WHERE w.period_id = $1 AND w.transaction_id IS NULL AND w.refusal IS NULL
 ORDER BY w.scope, w.rank, w.user_no LIMIT $2
