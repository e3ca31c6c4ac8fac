-- What users have on score boards. $1: board numbers, $2: period ids, $3: user numbers, in parallel; the users' hot rows
-- are locked. Cost: one index look-up each.
SELECT s.board_no, s.period_id, s.user_no, s.score, s.sub_score, s.reached, s.version, s.metadata::text AS metadata
  FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS wanted(board_no, period_id, user_no)
  JOIN scores s USING (board_no, period_id, user_no)
