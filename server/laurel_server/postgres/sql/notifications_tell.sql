-- Keeps the ranks that users were told last. $1: their ids, $2: ranks, $3: the time.
INSERT INTO told_ranks (user_id, rank, told_at) SELECT user_id, rank, $3 FROM unnest($1::text[], $2::bigint[]) AS t(user_id, rank)
ON CONFLICT (user_id) DO UPDATE SET rank = excluded.rank, told_at = excluded.told_at
