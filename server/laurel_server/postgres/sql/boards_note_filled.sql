-- Notes that boards have everybody who belongs on them. $1: board numbers.
UPDATE boards SET is_filled = true WHERE board_no = ANY ($1::bigint[])
