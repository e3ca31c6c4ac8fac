-- Deletes some scores of a board that is gone. $1: board number, $2: how many at most. Result: how many. Cost: those rows.
WITH deleted AS (
    DELETE FROM scores WHERE ctid = ANY (ARRAY(SELECT ctid FROM scores WHERE board_no = $1 LIMIT $2)) RETURNING 1
)
SELECT count(*) FROM deleted
