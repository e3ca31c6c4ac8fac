-- Users whose birthday is one of some days, by number. $1: the days as month * 100 + day, $2: only users known before,
-- $3: after this number, $4: how many at most. Cost: an index of birthdays.
SELECT user_no, user_id FROM users
 WHERE birth_date IS NOT NULL
   AND extract(month FROM birth_date) * 100 + extract(day FROM birth_date) = ANY ($1::numeric[])
   AND created_at < $2 AND user_no > $3
 ORDER BY user_no LIMIT $4
