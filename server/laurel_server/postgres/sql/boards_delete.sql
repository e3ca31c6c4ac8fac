-- Forgets boards. $1: board ids.
DELETE FROM boards WHERE board_id = ANY ($1::text[])
