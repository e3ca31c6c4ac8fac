-- Those of some boards of a period that are configured; their rows stay until this transaction ends, so that ranks of days go
-- with the board if it is deleted meanwhile. $1: period, $2: scopes.
SELECT scope FROM board_periods WHERE period_id = $1 AND scope = ANY ($2::text[]) ORDER BY scope FOR KEY SHARE
