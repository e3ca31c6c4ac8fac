-- Who of some users is a shadow user. $1: user ids. Cost: look-ups in an index that has nobody else.
SELECT user_id FROM users WHERE visibility = 3 AND user_id = ANY ($1::text[])
