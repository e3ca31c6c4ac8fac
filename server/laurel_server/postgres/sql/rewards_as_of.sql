-- The balances of a user as they were after all that was recorded up to and including $2; columns as rewards_read.
-- $1: user id, $3: the lowest id of the month of $2. What came later is taken off what he has now, so that the recent past,
-- which is asked for most, costs least.
-- Cost: the user's entries since and what they took from lots, one more entry, his changes of tier, and his lots outside
-- their time.
WITH person AS MATERIALIZED (
    SELECT u.user_id, r.* FROM users u JOIN user_rewards r USING (user_no) WHERE u.user_id = $1
), later AS MATERIALIZED (
    SELECT transaction_id, points, inputs FROM reward_transactions
     WHERE user_no = (SELECT user_no FROM person) AND transaction_id >= $3 AND transaction_time > $2
), since AS (
    SELECT coalesce(sum(points), 0) AS points,
           -- An award earns what it is worth; what else an entry did to lifetime points is written in it.
           coalesce(sum(CASE WHEN inputs ->> 'config' IS NULL THEN (inputs ->> 'lifetime')::bigint ELSE points END), 0) AS lifetime,
           coalesce(sum((inputs ->> 'redeemed')::bigint), 0) AS redeemed,
           coalesce(sum((inputs ->> 'expired')::bigint), 0) AS expired
      FROM later
), latest AS (
    SELECT transaction_id, transaction_time FROM reward_transactions
     WHERE user_no = (SELECT user_no FROM person) AND transaction_id < $3 + (1::bigint << 48) AND transaction_time <= $2
     ORDER BY transaction_id DESC LIMIT 1
), rewarded AS (
    SELECT transaction_time FROM reward_transactions
     WHERE user_no = (SELECT user_no FROM person) AND transaction_id < $3 + (1::bigint << 48) AND transaction_time <= $2
       AND inputs ->> 'config' IS NOT NULL
     ORDER BY transaction_id DESC LIMIT 1
), left_then AS (
    SELECT lot_id, activates_at, expires_at, remaining FROM lots
     WHERE user_no = (SELECT user_no FROM person) AND (expires_at <= $2 OR activates_at > $2)
    UNION ALL
    SELECT d.lot_id, d.activates_at, d.expires_at, d.points FROM later JOIN lot_debits d USING (transaction_id)
     WHERE d.expires_at <= $2 OR d.activates_at > $2
), changed AS (  -- the first change of tier since; not all come with an entry
    SELECT from_tier FROM tier_changes
     WHERE user_no = (SELECT user_no FROM person) AND changed_at > $2
     ORDER BY change_no LIMIT 1
), lot AS (
    SELECT coalesce(sum(l.remaining) FILTER (WHERE l.expires_at > $2), 0) AS pending,
           coalesce(sum(l.remaining) FILTER (WHERE l.expires_at <= $2), 0) AS expired
      FROM left_then l JOIN reward_transactions t ON t.transaction_id = l.lot_id
     WHERE t.transaction_time <= $2
), hold AS (
    SELECT coalesce(sum(points), 0) AS points FROM holds
     WHERE user_no = (SELECT user_no FROM person) AND created_at <= $2 AND expires_at > $2
       AND (state = 1 OR closed_at > $2)
)
SELECT p.user_id,
       (p.balance - s.points)::bigint AS balance,
       (p.lifetime_points - s.lifetime)::bigint AS lifetime_points,
       (p.redeemed_points - s.redeemed)::bigint AS redeemed_points,
       (p.expired_points - s.expired)::bigint AS expired_points,
       hold.points::bigint AS held_points, coalesce(changed.from_tier, p.tier) AS tier,
       rewarded.transaction_time AS last_reward_at,
       coalesce(latest.transaction_id & ((1::bigint << 48) - 1), 0) AS version,
       lot.pending::bigint AS pending, lot.expired::bigint AS expired
  FROM person p CROSS JOIN since s CROSS JOIN lot CROSS JOIN hold
  LEFT JOIN latest ON true LEFT JOIN rewarded ON true LEFT JOIN changed ON true
