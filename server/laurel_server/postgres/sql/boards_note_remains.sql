-- Notes what is to be cleared away. $1: board number, $2: slots, $3: instances as JSON.
INSERT INTO board_remains (board_no, slots, instances) VALUES ($1, $2, $3::text::json)
