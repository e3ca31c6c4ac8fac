-- The next entries in order of their ids, with the numbers of their users in place of their names.
-- $1: after this id, $2: below this one, $3: how many. Cost: those rows.
SELECT *, '' AS user_id, 0 AS reversed_points FROM reward_transactions
 WHERE transaction_id > $1 AND transaction_id < $2 ORDER BY transaction_id LIMIT $3
