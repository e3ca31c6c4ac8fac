-- Forgets what has been cleared away. $1: its numbers.
DELETE FROM board_remains WHERE remains_no = ANY ($1::bigint[])
