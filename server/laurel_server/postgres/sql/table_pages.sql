-- How many pages of 8 KiB a table fills. $1: its name.
SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::bigint
