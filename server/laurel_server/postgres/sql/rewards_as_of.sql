-- The balances of a user as they were after all that was recorded up to and including $2; columns as rewards_read.
-- $1: user id, $3: the lowest id of the month of $2. What came later is taken off what he has now, so that the recent past,
-- which is asked for most, costs least.
-- Cost: the user's entries since, two more, and his lots outside their time.
WITH person AS MATERIALIZED (
    SELECT u.user_id, r.* FROM users u JOIN user_rewards r USING (user_no) WHERE u.user_id = $1
), since AS (
    SELECT coalesce(sum(points), 0) AS points,
           coalesce(-sum(points) FILTER (WHERE action = 'REDEMPTION'), 0) AS redeemed,
           coalesce(-sum(points) FILTER (WHERE action = 'EXPIRATION'), 0) AS expired,
           (array_agg(inputs ->> 'tier' ORDER BY transaction_id) FILTER (WHERE inputs ->> 'tier' <> ''))[1] AS tier_before
      FROM reward_transactions
     WHERE user_no = (SELECT user_no FROM person) AND transaction_id >= $3 AND transaction_time > $2
), latest AS (
    SELECT transaction_id, transaction_time FROM reward_transactions
     WHERE user_no = (SELECT user_no FROM person) AND transaction_id < $3 + (1::bigint << 48) AND transaction_time <= $2
     ORDER BY transaction_id DESC LIMIT 1
), lot AS (
    SELECT coalesce(sum(l.remaining) FILTER (WHERE l.activates_at > $2 AND l.expires_at > $2), 0) AS pending,
           coalesce(sum(l.remaining) FILTER (WHERE l.expires_at <= $2), 0) AS expired
      FROM lots l JOIN reward_transactions t ON t.transaction_id = l.lot_id
     WHERE l.user_no = (SELECT user_no FROM person) AND (l.expires_at <= $2 OR l.activates_at > $2) AND t.transaction_time <= $2
)
SELECT p.user_id,
       (p.balance - s.points)::bigint AS balance,
       (p.lifetime_points - s.points - s.redeemed - s.expired)::bigint AS lifetime_points,
       (p.redeemed_points - s.redeemed)::bigint AS redeemed_points,
       (p.expired_points - s.expired)::bigint AS expired_points,
       p.held_points, p.tier, s.tier_before,
       latest.transaction_time AS last_reward_at,
       coalesce(latest.transaction_id & ((1::bigint << 48) - 1), 0) AS version,
       lot.pending::bigint AS pending, lot.expired::bigint AS expired
  FROM person p CROSS JOIN since s CROSS JOIN lot LEFT JOIN latest ON true
