-- One user as in standings_members. $1: user id.
SELECT u.user_no, u.user_id, u.country, u.region, u.segments, u.visibility, r.tier, r.version, r.open_totals::text AS totals
  FROM users u JOIN user_rewards r USING (user_no) WHERE u.user_id = $1
