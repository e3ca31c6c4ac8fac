-- Notes what is to be cleared away. $1: board number, $2: slots, $3: instances as JSON, $4, $5: of a board that is deleted its
-- scope and period type, otherwise NULL.
INSERT INTO board_remains (board_no, slots, instances, scope, period_type) VALUES ($1, $2, $3::text::json, $4, $5)
