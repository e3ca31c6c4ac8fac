-- Has the periods of a score board end as its new resets say: the one that runs under them at their end, every other one now.
-- $1: board number, $2: the id of the period that runs now, $3: its end (NULL: never), $4: now.
UPDATE leaderboard_periods SET ends_at = CASE WHEN period_id = $2 THEN $3 ELSE least(ends_at, $4) END
 WHERE board_no = $1 AND state = 1
