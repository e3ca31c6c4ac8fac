-- The id below which all transactions are over.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint
