-- Between which ids transactions run: all below `oldest` are over, none from `next` on has begun.
SELECT pg_snapshot_xmin(s)::text::bigint AS oldest, pg_snapshot_xmax(s)::text::bigint AS next FROM pg_current_snapshot() s
