-- A page of a user's entries, newest first. $1: user id, $2: actions (empty: all), $3: recorded at or after (NULL: any),
-- $4: recorded before (NULL: any), $5: before this transaction id, $6: how many.
-- Cost: the page, wherever it lies; entries that the filters drop are read too.
SELECT t.*, u.user_id FROM users u JOIN reward_transactions t USING (user_no)
 WHERE u.user_id = $1 AND t.transaction_id < $5
   AND (cardinality($2::text[]) = 0 OR t.action = ANY ($2))
   AND ($3::timestamptz IS NULL OR t.transaction_time >= $3)
   AND ($4::timestamptz IS NULL OR t.transaction_time < $4)
 ORDER BY t.transaction_id DESC LIMIT $6
