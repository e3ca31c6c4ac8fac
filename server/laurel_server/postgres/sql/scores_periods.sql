-- All instances of a score board, archived ones too. $1: board number.
SELECT scope, period_id FROM leaderboard_periods WHERE board_no = $1
