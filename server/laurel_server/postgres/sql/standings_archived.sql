-- Whether a board instance is archived, and so not kept in Redis. $1: scope, $2: period id.
SELECT EXISTS (SELECT 1 FROM board_periods WHERE scope = $1 AND period_id = $2 AND state = 4)
