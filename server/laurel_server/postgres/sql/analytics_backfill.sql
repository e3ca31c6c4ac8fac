-- All entries of some users with what trends group by, each user's in order. $1: after this user number, $2: up to this one.
-- The tier after an entry is the one before the next, and after the last entry the present one; `tier_before` is the one
-- before. Cost: an index range a user and partition.
SELECT t.transaction_id, t.user_no, t.action, t.points,
       t.points > 0 AND t.reverses_transaction_id IS NULL AND t.action NOT IN ('REDEMPTION', 'EXPIRATION', 'REVERSAL') AS is_award,
       coalesce(lead(t.inputs ->> 'tier') OVER following,
                (ARRAY['BRONZE', 'SILVER', 'GOLD', 'PLATINUM', 'DIAMOND'])[r.tier]) AS tier,
       u.country, u.region, u.segments, t.occurred_at, t.transaction_time AS recorded_at, t.activates_at, t.expires_at,
       coalesce(t.inputs ->> 'tier', 'BRONZE') AS tier_before
  FROM reward_transactions t JOIN users u USING (user_no) JOIN user_rewards r USING (user_no)
 WHERE t.user_no > $1 AND t.user_no <= $2
WINDOW following AS (PARTITION BY t.user_no ORDER BY t.transaction_id)
 ORDER BY t.user_no, t.transaction_id
