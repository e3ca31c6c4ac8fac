-- Which users have a score on instances of score boards. $1 and $2: board ids and period ids, $3: user numbers.
-- Cost: an index look-up a board and user.
SELECT b.board_id, s.period_id, u.user_id
  FROM unnest($1::text[], $2::text[]) AS wanted(board_id, period_id) JOIN boards b USING (board_id)
  JOIN scores s ON s.board_no = b.board_no AND s.period_id = wanted.period_id AND s.user_no = ANY ($3::bigint[])
  JOIN users u USING (user_no)
