-- What boards show of users. $1: user ids. Cost: two index look-ups a user.
SELECT u.user_id, u.username, u.avatar_url, r.tier, u.country
  FROM users u JOIN user_rewards r USING (user_no) WHERE u.user_id = ANY ($1::text[])
