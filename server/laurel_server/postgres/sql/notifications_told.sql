-- The ranks that users were told last. $1: their ids.
SELECT user_id, rank, told_at FROM told_ranks WHERE user_id = ANY ($1::text[])
