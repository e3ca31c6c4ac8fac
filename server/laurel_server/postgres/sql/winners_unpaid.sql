-- The next winners of a period who are not paid, with the entry that paid them if there is one after all: the payment was
-- committed, and whoever made it died before it could say so. $1: the period, $2: how many, $3: no such entry has a smaller
-- transaction_id. Cost: an index look-up a winner and month since then.
SELECT w.scope, w.period_id, w.user_no, u.user_id, w.rank, w.score, w.bonus_points, p.transaction_id
  FROM period_winners w JOIN users u USING (user_no)
  LEFT JOIN LATERAL (
      SELECT t.transaction_id FROM reward_transactions t
       WHERE t.user_no = w.user_no AND t.transaction_id >= $3
         AND t.request_id = 'close/' || w.scope || '/' || w.period_id || '/' || w.user_no AND t.created_by = 'laurel'
       LIMIT 1
  ) p ON true
 WHERE w.period_id = $1 AND w.transaction_id IS NULL AND w.refusal IS NULL
 ORDER BY w.scope, w.rank, w.user_no LIMIT $2
