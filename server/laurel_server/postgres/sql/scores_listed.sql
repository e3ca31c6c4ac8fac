-- Everybody who takes a position on instances of score boards, which are locked. $1: board numbers, $2: period ids.
-- Cost: their rows; only boards with a size cap are asked.
SELECT s.board_no, s.period_id, s.user_no, u.user_id, s.score, s.sub_score, s.reached, s.version, s.metadata::text AS metadata
  FROM unnest($1::bigint[], $2::text[]) AS wanted(board_no, period_id)
  JOIN scores s USING (board_no, period_id) JOIN users u USING (user_no) WHERE u.visibility = 1
