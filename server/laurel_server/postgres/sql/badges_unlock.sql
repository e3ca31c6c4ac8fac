-- Gives badges to users; who holds one already keeps it as it is. $1-$7: one element a badge: user numbers, types, levels,
-- when earned, when it ends, the award and the period that unlocked it.
-- Result: what is new. Sorted, so that two transactions queue.
INSERT INTO user_badges (user_no, badge_type, level, earned_at, expires_at, transaction_id, period_id)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::text[])
    AS b(user_no, badge_type, level, earned_at, expires_at, transaction_id, period_id)
 ORDER BY user_no, badge_type, level
ON CONFLICT (user_no, badge_type, level) DO NOTHING
RETURNING user_no, badge_type, level
