-- Notes for ever which of some users, who are locked, take a position on an instance of a score board.
-- $1: board number, $2: period id, $3: user numbers.
UPDATE scores s SET listed = u.visibility = 1 FROM users u
 WHERE u.user_no = s.user_no AND s.board_no = $1 AND s.period_id = $2 AND s.user_no = ANY ($3::bigint[])
