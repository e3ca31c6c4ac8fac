-- The numbers of users. $1: user ids; unknown and erased ones are left out. Cost: an index look-up each.
SELECT user_id, user_no FROM users WHERE user_id = ANY ($1::text[]) AND erased_at IS NULL
