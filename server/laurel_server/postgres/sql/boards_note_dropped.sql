-- Notes that Redis has nothing any more of what is to be cleared away. $1: numbers of what is locked.
UPDATE board_remains SET instances = '[]' WHERE remains_no = ANY ($1::bigint[])
