-- Forgets the instances of a score board. $1: board number. Result: their period ids.
DELETE FROM score_periods WHERE board_no = $1 RETURNING period_id
