-- An id above those of all transactions that have one.
SELECT pg_current_xact_id()::text::bigint
