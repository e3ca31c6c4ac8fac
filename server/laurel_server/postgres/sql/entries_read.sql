-- Entries by id, with the caller's id of the user. $1: transaction ids. Cost: one index look-up each.
SELECT t.*, u.user_id FROM reward_transactions t JOIN users u USING (user_no)
 WHERE t.transaction_id = ANY ($1::bigint[])
