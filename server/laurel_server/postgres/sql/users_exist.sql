-- Whether a user is known. $1: user id.
SELECT EXISTS (SELECT 1 FROM users WHERE user_id = $1)
