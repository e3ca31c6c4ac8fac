-- The next user number to stop at in a scan of all users. $1: after this user number, $2: how many users.
-- Result: NULL when there is none.
SELECT max(user_no) FROM (SELECT user_no FROM users WHERE user_no > $1 ORDER BY user_no LIMIT $2) AS chosen
