-- Locks those of the users [$1, $2) who have totals of the periods $3 in their hot rows, in the order of all locks.
-- Cost: those rows.
SELECT user_no FROM user_rewards WHERE user_no >= $1 AND user_no < $2 AND open_totals ?| $3::text[]
 ORDER BY user_no FOR UPDATE
