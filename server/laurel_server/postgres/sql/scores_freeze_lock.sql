-- Locks the next users on an instance of a score board that is being frozen, in the order of all locks.
-- $1: board number, $2: period id, $3: after this user number, $4: how many. Cost: those rows.
SELECT s.user_no FROM scores s JOIN user_rewards r USING (user_no)
 WHERE s.board_no = $1 AND s.period_id = $2 AND s.user_no > $3 AND s.listed IS NULL
 ORDER BY s.user_no LIMIT $4 FOR UPDATE OF r
