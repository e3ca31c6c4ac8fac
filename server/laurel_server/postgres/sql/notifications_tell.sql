-- Keeps the ranks that users were told last. One element a user: $1: ids, $2: ranks, $3: when.
INSERT INTO told_ranks (user_id, rank, told_at)
SELECT user_id, rank, told_at FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS t(user_id, rank, told_at)
ON CONFLICT (user_id) DO UPDATE SET rank = excluded.rank, told_at = excluded.told_at
