-- Badges that users hold, in any state. $1: user numbers.
SELECT user_no, badge_type, level FROM user_badges WHERE user_no = ANY ($1::bigint[])
