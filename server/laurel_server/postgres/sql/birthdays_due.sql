-- Users whose birthday is one of some days and who have not had the bonus of that year, by number. $1: the days as
-- month * 100 + day, $2: only users known before, $3: after this number, $4: how many at most, $5: what the request_id of the
-- bonus begins with, $6: the first transaction id that it may have.
-- A request_id is forgotten after a time, an entry is not: who tells another birthday later in the year gets nothing again.
-- Cost: an index of birthdays, and the entries of that year of the users that it names.
SELECT user_no, user_id FROM users u
 WHERE birth_date IS NOT NULL
   AND extract(month FROM birth_date) * 100 + extract(day FROM birth_date) = ANY ($1::numeric[])
   AND created_at < $2 AND user_no > $3
   AND (SELECT t.transaction_id FROM reward_transactions t
         WHERE t.user_no = u.user_no AND t.transaction_id >= $6
           AND t.action = 'BIRTHDAY_BONUS' AND t.created_by = 'laurel' AND starts_with(t.request_id, $5)
         LIMIT 1) IS NULL
 ORDER BY user_no LIMIT $4
