-- Whether a board instance has ever had a member. $1: scope, $2: period id.
SELECT EXISTS (SELECT 1 FROM board_periods WHERE scope = $1 AND period_id = $2)
