-- The next users who have open totals, by number. $1: after this number, $2: how many. Cost: those rows.
-- The bound stands at each table: PostgreSQL passes none on over a join, and a merge join would read the other from its start.
SELECT u.user_no, u.user_id, u.country, u.region, u.segments, u.visibility, r.tier, r.version, r.open_totals::text AS totals
  FROM user_rewards r JOIN users u USING (user_no)
 WHERE r.user_no > $1 AND u.user_no > $1 AND r.open_totals <> '{}' ORDER BY r.user_no LIMIT $2
