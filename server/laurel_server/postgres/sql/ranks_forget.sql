-- Deletes what was taken before a day. $1: the day. Result: how many rows. Cost: those rows.
WITH forgotten AS (DELETE FROM rank_history WHERE taken_on < $1 RETURNING 1) SELECT count(*) FROM forgotten
