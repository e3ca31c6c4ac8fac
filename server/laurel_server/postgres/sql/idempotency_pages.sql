-- How many pages of 8 KiB the idempotency keys fill.
SELECT pg_relation_size('idempotency_keys') / current_setting('block_size')::bigint
