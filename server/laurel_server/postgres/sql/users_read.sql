-- Profiles with what the ledger adds to them. $1: user ids. Cost: two index look-ups a user.
SELECT u.*, r.tier, r.last_reward_at FROM users u JOIN user_rewards r USING (user_no) WHERE u.user_id = ANY ($1::text[])
