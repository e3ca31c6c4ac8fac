-- How many pages of 8 KiB the notifications fill.
SELECT pg_relation_size('notifications') / current_setting('block_size')::bigint
