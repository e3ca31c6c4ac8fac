-- Entries by id, with the caller's id of the user, empty for one who was erased. $1: transaction ids.
-- A join and not `= ANY`, for which PostgreSQL would look for the partitions and plan anew each time: as long as it then reads.
-- Cost: one index look-up each.
SELECT t.*, CASE WHEN u.erased_at IS NULL THEN u.user_id ELSE '' END AS user_id, r.reversed_points
  FROM unnest($1::bigint[]) AS asked(transaction_id)
  JOIN reward_transactions t USING (transaction_id) JOIN users u USING (user_no) LEFT JOIN reversals r USING (transaction_id)
