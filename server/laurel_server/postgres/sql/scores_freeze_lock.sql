-- Locks the next users on an instance of a score board that is being frozen, in the order of all locks.
-- $1: board number, $2: period id, $3: after this user number, $4: how many. Cost: those rows: they are found first, or the
-- join might walk through everybody before them.
SELECT r.user_no
  FROM (SELECT user_no FROM scores WHERE board_no = $1 AND period_id = $2 AND user_no > $3 AND final_visibility IS NULL
         ORDER BY user_no LIMIT $4) following
  JOIN user_rewards r USING (user_no)
 ORDER BY r.user_no FOR UPDATE OF r
