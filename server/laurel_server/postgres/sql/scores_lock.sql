-- Locks instances of boards with a size cap, in order: who is on them is decided by one batch at a time. Held until the
-- transaction ends. $1: board numbers, $2: period ids.
SELECT pg_advisory_xact_lock(hashtextextended('laurel scores ' || board_no || ' ' || period_id, 0))
  FROM (SELECT * FROM unnest($1::bigint[], $2::text[]) AS i(board_no, period_id) ORDER BY 1, 2) wanted
