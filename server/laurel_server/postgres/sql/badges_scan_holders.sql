-- What badge rules read of users, and which badges they hold as TYPE:LEVEL, by number. $1: after this number, $2: how many.
-- Cost: three index look-ups a user.
SELECT u.user_no, u.user_id, r.lifetime_points, r.open_totals::text AS totals,
       ARRAY(SELECT b.badge_type || ':' || b.level FROM user_badges b WHERE b.user_no = u.user_no) AS held
  FROM users u JOIN user_rewards r USING (user_no)
 WHERE u.user_no > $1 AND r.user_no > $1 ORDER BY u.user_no LIMIT $2
