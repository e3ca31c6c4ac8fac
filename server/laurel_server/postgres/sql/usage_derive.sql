-- Keeps what users had of an action that was not limited before, instead of what may have been kept of it; counts of awards
-- and streaks stay. The users are locked as a batch locks them, in the same order: it may have rows of theirs to write.
-- $1: action, $2: the day of the points, $3: user numbers, $4: points, $5: times of the latest award.
WITH locked AS MATERIALIZED (
    SELECT user_no FROM user_rewards WHERE user_no = ANY ($3::bigint[]) ORDER BY user_no FOR UPDATE
)
INSERT INTO action_usage (user_no, action, day, points, last_at)
SELECT user_no, $1, $2, u.points, u.last_at
  FROM locked JOIN unnest($3::bigint[], $4::bigint[], $5::timestamptz[]) AS u(user_no, points, last_at) USING (user_no)
ON CONFLICT (user_no, action) DO UPDATE SET day = excluded.day, points = excluded.points, last_at = excluded.last_at
