-- About how many entries there are: as of the last time that PostgreSQL looked at each partition.
SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'reward_transactions'::regclass
