-- What of users' points is not to be spent at $2 although the balance has it: pending lots, lots that expired, and holds that
-- timed out, neither swept yet. $1: user numbers (locked or read as they are).
-- Result: one row a user: user_no, pending, expired, lapsed, following_expiry (the soonest one after $2, NULL: none).
-- Cost: the lots and holds that it sums up.
SELECT u.user_no, p.pending, e.expired, h.lapsed, f.following_expiry
  FROM unnest($1::bigint[]) AS u(user_no)
 CROSS JOIN LATERAL (
     SELECT coalesce(sum(remaining), 0)::bigint AS pending FROM lots
      WHERE lots.user_no = u.user_no AND activates_at > $2 AND expires_at > $2) p
 CROSS JOIN LATERAL (
     SELECT coalesce(sum(remaining), 0)::bigint AS expired FROM lots WHERE lots.user_no = u.user_no AND expires_at <= $2) e
 CROSS JOIN LATERAL (
     SELECT coalesce(sum(points), 0)::bigint AS lapsed FROM holds
      WHERE holds.user_no = u.user_no AND state = 1 AND expires_at <= $2) h
  LEFT JOIN LATERAL (
     SELECT expires_at AS following_expiry FROM lots
      WHERE lots.user_no = u.user_no AND expires_at > $2 AND expires_at < 'infinity'
      ORDER BY user_no, expires_at, lot_id LIMIT 1) f ON true
