-- Who was promoted before tiers had a history gets its beginning, so that each tier follows from the changes before it.
-- Numbers below 0 stand before all others.
INSERT INTO tier_changes (change_no, user_no, from_tier, to_tier, changed_at, cause, points) OVERRIDING SYSTEM VALUE
SELECT -r.user_no, r.user_no, 1, coalesce(f.from_tier, r.tier),
       CASE WHEN f.user_no IS NULL THEN r.tier_since ELSE u.created_at END, 'UPGRADE', r.lifetime_points
  FROM user_rewards r JOIN users u USING (user_no)
  LEFT JOIN (SELECT DISTINCT ON (user_no) user_no, from_tier FROM tier_changes ORDER BY user_no, change_no) f USING (user_no)
 WHERE coalesce(f.from_tier, r.tier) > 1;
