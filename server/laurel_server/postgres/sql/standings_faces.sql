-- What boards show of users. $1: user ids, $2: the business time. Cost: three index look-ups a user.
SELECT u.user_id, u.username, u.avatar_url, r.tier, u.country,
       ARRAY(SELECT DISTINCT b.badge_type FROM user_badges b
              WHERE b.user_no = u.user_no AND (b.expires_at IS NULL OR b.expires_at > $2) ORDER BY 1) AS badges
  FROM users u JOIN user_rewards r USING (user_no) WHERE u.user_id = ANY ($1::text[])
