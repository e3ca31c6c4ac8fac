-- The last batch number that was drawn; it may belong to a transaction that still runs or was rolled back.
SELECT last_value FROM ledger_batch_seq
