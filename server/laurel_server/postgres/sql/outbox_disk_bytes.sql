-- What the files of the outbox take, in bytes, its indexes and long values included.
SELECT pg_total_relation_size('outbox')
