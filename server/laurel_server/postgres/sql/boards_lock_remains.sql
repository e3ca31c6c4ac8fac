-- What is to be cleared away, locked; is_gone: the scores of the board, too; is_old: noted longer ago than $1.
SELECT r.remains_no, r.board_no, r.slots, r.instances::text AS instances, r.noted_at < now() - $1::interval AS is_old,
       NOT EXISTS (SELECT FROM boards b WHERE b.board_no = r.board_no) AS is_gone
  FROM board_remains r ORDER BY r.remains_no FOR UPDATE OF r
