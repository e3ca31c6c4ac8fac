-- Writes users with points on the global all-time board. $1: the number of the first, from 0, $2: how many.
-- Names as in bench/people.py; scores are spread over 1 to 100,000 so that many are equal.
WITH new_user AS (
    INSERT INTO users (user_id, username, created_at)
    SELECT 'user-' || lpad(n::text, 7, '0'), 'User ' || n, now()
      FROM generate_series($1::bigint, $1::bigint + $2::bigint - 1) AS n
    RETURNING user_no, user_id
)
INSERT INTO user_rewards (user_no, balance, lifetime_points, version, open_totals)
SELECT user_no, points, points, user_no, jsonb_build_object('all', jsonb_build_array(points, user_no))
  FROM (SELECT user_no, 1 + abs(hashtext(user_id)) % 100000 AS points FROM new_user) AS scored
