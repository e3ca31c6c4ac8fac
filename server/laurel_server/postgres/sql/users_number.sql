-- The number of a user. $1: user id. Result: NULL for an unknown or erased one.
SELECT user_no FROM users WHERE user_id = $1 AND erased_at IS NULL
