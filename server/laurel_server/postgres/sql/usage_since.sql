-- The batches since a moment: all that were recorded then or later have numbers above the first. $1: the moment, $2, $3: ids
-- among which to look. Result: after, up_to (the last number that was drawn). Cost: some 40 index look-ups.
SELECT greatest(0, ((first_entry_since($1, $2, $3) & ((1::bigint << 48) - 1)) >> 10) - 1) AS after,
       (SELECT last_value FROM ledger_batch_seq) AS up_to
