-- The number of a user. $1: user id.
SELECT user_no FROM users WHERE user_id = $1
