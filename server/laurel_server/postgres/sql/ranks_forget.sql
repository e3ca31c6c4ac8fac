-- Deletes some of what was taken before a day. $1: the day, $2: how many rows at most. Result: how many. Cost: those rows.
WITH deleted AS (
    DELETE FROM rank_history WHERE ctid = ANY (ARRAY(SELECT ctid FROM rank_history WHERE taken_on < $1 LIMIT $2)) RETURNING 1
)
SELECT count(*) FROM deleted
