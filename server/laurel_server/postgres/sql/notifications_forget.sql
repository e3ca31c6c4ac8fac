-- Leaves nothing of what a person was told. $1: his id, $2: his number (0: all that was told under the id). What has no number
-- is older than numbers, and may be his.
WITH ranks AS (DELETE FROM told_ranks WHERE user_id = $1)
DELETE FROM notifications WHERE user_id = $1 AND ($2::bigint = 0 OR user_no IN (0, $2))
