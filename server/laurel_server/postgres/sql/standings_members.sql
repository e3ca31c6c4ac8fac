-- Users with what decides their boards and with their open totals. $1: user numbers.
SELECT u.user_no, u.user_id, u.country, u.region, u.segments, u.visibility, r.tier, r.version, r.open_totals::text AS totals
  FROM users u JOIN user_rewards r USING (user_no) WHERE u.user_no = ANY ($1::bigint[])
