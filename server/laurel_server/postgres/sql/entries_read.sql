-- Entries by id, with the caller's id of the user, empty for one who was erased. $1: transaction ids.
-- Cost: one index look-up each.
SELECT t.*, CASE WHEN u.erased_at IS NULL THEN u.user_id ELSE '' END AS user_id, r.reversed_points
  FROM reward_transactions t JOIN users u USING (user_no) LEFT JOIN reversals r USING (transaction_id)
 WHERE t.transaction_id = ANY ($1::bigint[])
