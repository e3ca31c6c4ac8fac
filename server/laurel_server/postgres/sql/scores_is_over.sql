-- Whether an instance of a score board takes no scores any more. $1: board number, $2: period id.
SELECT EXISTS (SELECT 1 FROM leaderboard_periods WHERE board_no = $1 AND period_id = $2 AND state > 1)
