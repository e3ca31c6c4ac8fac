-- Gives badges for a period that was closed: who has one from an earlier period gets its next level, who has it from this
-- period already gets nothing, nor does who was erased. $1: user numbers, $2: types, $3: ends; one pair an element.
-- $4: when earned, $5: period id. Result: what is new.
INSERT INTO user_badges (user_no, badge_type, level, earned_at, expires_at, period_id)
SELECT u.user_no, c.badge_type,
       1 + coalesce((SELECT max(level) FROM user_badges b WHERE b.user_no = u.user_no AND b.badge_type = c.badge_type), 0),
       $4, c.expires_at, $5
  FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS c(user_no, badge_type, expires_at) JOIN users u USING (user_no)
 WHERE u.erased_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM user_badges b
                    WHERE b.user_no = u.user_no AND b.badge_type = c.badge_type AND b.period_id = $5)
 ORDER BY u.user_no, c.badge_type
ON CONFLICT (user_no, badge_type, level) DO NOTHING
RETURNING user_no, badge_type, level
