-- Notes for ever who sees some users, who are locked, on an instance of a score board.
-- $1: board number, $2: period id, $3: user numbers.
UPDATE scores s SET final_visibility = u.visibility FROM users u
 WHERE u.user_no = s.user_no AND s.board_no = $1 AND s.period_id = $2 AND s.user_no = ANY ($3::bigint[])
