-- A page of a user's entries, newest first. $1: user id, $2: actions (empty: all), $3: recorded at or after (NULL: any),
-- $4: recorded before (NULL: any), $5: from this transaction id, $6: before this one, $7: how many.
-- Cost: the page, wherever it lies; entries of other actions in between are read too.
SELECT t.*, $1 AS user_id,
       (SELECT reversed_points FROM reversals r WHERE r.transaction_id = t.transaction_id) AS reversed_points
  FROM entries_of((SELECT user_no FROM users WHERE user_id = $1), $2, $3, $4, $5, $6, $7) t
 ORDER BY t.transaction_id DESC
