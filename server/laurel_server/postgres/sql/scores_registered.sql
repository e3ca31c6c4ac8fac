-- Whether an instance of a score board has ever had a member. $1: board id, $2: period id.
SELECT EXISTS (SELECT 1 FROM score_periods JOIN boards USING (board_no) WHERE board_id = $1 AND period_id = $2)
