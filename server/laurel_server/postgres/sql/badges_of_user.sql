-- The highest level of each badge of a user, the latest first. $1: user id. A known user without badges has one row of NULLs.
SELECT u.user_id, b.*
  FROM users u
  LEFT JOIN LATERAL (SELECT DISTINCT ON (badge_type) badge_type, level, earned_at, expires_at
                       FROM user_badges WHERE user_no = u.user_no ORDER BY badge_type, level DESC) b ON true
 WHERE u.user_id = $1
 ORDER BY b.earned_at DESC, b.badge_type
