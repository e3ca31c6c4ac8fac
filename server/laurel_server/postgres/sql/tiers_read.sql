-- A user's tier; who was never promoted is in his since he is known. $1: user id. Cost: two index look-ups.
SELECT r.user_no, r.tier, coalesce(r.tier_since, u.created_at) AS since, r.lifetime_points
  FROM users u JOIN user_rewards r USING (user_no) WHERE u.user_id = $1
