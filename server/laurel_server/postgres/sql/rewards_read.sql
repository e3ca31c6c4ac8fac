-- The balances of users as they are at $2: points whose time has passed or not come are taken out, swept or not, and so are
-- holds that have timed out. $1: user ids.
-- Cost: two index look-ups a user, his lots that are outside their time, and his active holds.
SELECT u.user_id, r.user_no, r.balance, r.lifetime_points, r.redeemed_points, r.expired_points, r.tier, r.last_reward_at, r.version,
       coalesce(p.pending, 0)::bigint AS pending, coalesce(l.expired, 0)::bigint AS expired,
       coalesce(h.held, 0)::bigint AS held_points
  FROM users u JOIN user_rewards r USING (user_no)
  LEFT JOIN LATERAL (
      SELECT sum(remaining) AS pending FROM lots WHERE lots.user_no = r.user_no AND activates_at > $2 AND expires_at > $2
  ) p ON r.pending_until > $2
  LEFT JOIN LATERAL (
      SELECT sum(remaining) AS expired FROM lots WHERE lots.user_no = r.user_no AND expires_at <= $2
  ) l ON r.next_expiry <= $2
  LEFT JOIN LATERAL (
      SELECT sum(points) AS held FROM holds WHERE holds.user_no = r.user_no AND state = 1 AND expires_at > $2
  ) h ON r.held_points > 0
 WHERE u.user_id = ANY ($1::text[])
