-- The balances of users as they are at $2: points whose time has passed or not come are taken out, swept or not.
-- $1: user ids. Cost: two index look-ups a user, and the lots that are outside their time.
SELECT u.user_id, r.*,
       coalesce(l.pending, 0)::bigint AS pending, coalesce(l.expired, 0)::bigint AS expired
  FROM users u JOIN user_rewards r USING (user_no)
  LEFT JOIN LATERAL (
      SELECT sum(remaining) FILTER (WHERE activates_at > $2 AND expires_at > $2) AS pending,
             sum(remaining) FILTER (WHERE expires_at <= $2) AS expired
        FROM lots WHERE lots.user_no = r.user_no AND (expires_at <= $2 OR activates_at > $2)
  ) l ON r.next_expiry <= $2 OR r.pending_until > $2
 WHERE u.user_id = ANY ($1::text[])
