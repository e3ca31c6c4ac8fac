-- One level of each badge of a user, the latest first: the highest of those that count, or of all where none does any more.
-- $1: user id, $2: the business time. A known user without badges has one row of NULLs.
SELECT u.user_id, b.*
  FROM users u
  LEFT JOIN LATERAL (SELECT DISTINCT ON (badge_type) badge_type, level, earned_at, expires_at
                       FROM user_badges WHERE user_no = u.user_no
                      ORDER BY badge_type, (expires_at IS NULL OR expires_at > $2) DESC, level DESC) b ON true
 WHERE u.user_id = $1
 ORDER BY b.earned_at DESC, b.badge_type
