-- How many partitions the entries have.
SELECT count(*) FROM pg_inherits WHERE inhparent = 'reward_transactions'::regclass
