-- A page of a user's entries, newest first. $1: user id, $2: actions (empty: all), $3: recorded at or after (NULL: any),
-- $4: recorded before (NULL: any), $5: from this transaction id, $6: before this one, $7: how many.
-- The number of the user is looked up first and not joined: a join would read all his entries and sort them.
-- Cost: the page, wherever it lies; entries of other actions in between are read too.
SELECT t.*, $1 AS user_id,
       (SELECT reversed_points FROM reversals r WHERE r.transaction_id = t.transaction_id) AS reversed_points
  FROM reward_transactions t
 WHERE t.user_no = (SELECT user_no FROM users WHERE user_id = $1)
   AND t.transaction_id >= $5 AND t.transaction_id < $6
   AND (cardinality($2::text[]) = 0 OR t.action = ANY ($2))
   AND ($3::timestamptz IS NULL OR t.transaction_time >= $3)
   AND ($4::timestamptz IS NULL OR t.transaction_time < $4)
 ORDER BY t.transaction_id DESC LIMIT $7
