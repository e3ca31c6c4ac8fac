-- Users whose tier may be another than the first, by number. $1: after this number, $2: how many at most,
-- $3: the lowest threshold above 0.
SELECT r.user_no, u.user_id, r.tier, r.lifetime_points, k.since AS at_risk_since
  FROM user_rewards r JOIN users u USING (user_no) LEFT JOIN tier_at_risk k ON k.user_no = r.user_no AND k.user_no > $1
 WHERE r.user_no > $1 AND u.user_no > $1 AND (r.tier > 1 OR r.lifetime_points >= $3)
 ORDER BY r.user_no LIMIT $2
