-- Leaves nothing of what a user was told. $1: user id.
WITH ranks AS (DELETE FROM told_ranks WHERE user_id = $1)
DELETE FROM notifications WHERE user_id = $1
