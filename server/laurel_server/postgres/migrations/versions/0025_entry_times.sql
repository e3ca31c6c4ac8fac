-- The first entry with an id in [low, high) that was recorded at `moment` or later, or less than 65,536 below it; high if
-- there is none. Times grow with ids, but for the clocks of servers: callers leave a margin.
-- Cost: at most some 40 index look-ups.
CREATE FUNCTION first_entry_since(moment timestamptz, low bigint, high bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    middle bigint;
    entry record;
BEGIN
    WHILE high - low > 65536 LOOP
        middle := low + (high - low) / 2;
        SELECT transaction_id, transaction_time INTO entry FROM reward_transactions
         WHERE transaction_id >= middle AND transaction_id < high ORDER BY transaction_id LIMIT 1;
        IF FOUND AND entry.transaction_time < moment THEN
            low := entry.transaction_id + 1;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN low;
END $$;
