-- Partitions inherit the triggers of the entries against UPDATE and DELETE, but none against TRUNCATE: that needs one on each.

CREATE FUNCTION refuse_truncation_of(partition regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER reward_transactions_no_truncate BEFORE TRUNCATE ON %s'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', partition);
END $$;

SELECT refuse_truncation_of(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'reward_transactions'::regclass;

-- Makes the partition of a month (months since 1970-01) unless it is there.
-- Cost: a catalogue look-up; when missing, two DDLs under a short lock.
CREATE OR REPLACE FUNCTION make_entry_partition(month bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    partition_name text := 'reward_transactions_' || to_char(make_date((1970 + month / 12)::int, (month % 12 + 1)::int, 1), 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('make_entry_partition'));
    IF to_regclass(partition_name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF reward_transactions FOR VALUES FROM (%s) TO (%s)',
                       partition_name, month << 48, (month + 1) << 48);
        PERFORM refuse_truncation_of(format('%I', partition_name)::regclass);
    END IF;
END $$;
