-- Deletes some scores of a board that is gone. $1: board number, $2: how many at most.
-- Result: how many were found; who else deletes them meanwhile takes none from that number. Cost: those rows.
WITH found AS MATERIALIZED (
    SELECT ctid FROM scores WHERE board_no = $1 LIMIT $2
), gone AS (
    DELETE FROM scores WHERE ctid = ANY (ARRAY(SELECT ctid FROM found))
)
SELECT count(*) FROM found
