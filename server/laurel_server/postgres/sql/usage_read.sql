-- What users had of limited and counted actions. Runs with the users' hot rows locked. $1: user numbers, $2: actions.
SELECT user_no, action, day, points, last_at, awards, streak_day, streak FROM action_usage
 WHERE user_no = ANY ($1::bigint[]) AND action = ANY ($2::text[])
