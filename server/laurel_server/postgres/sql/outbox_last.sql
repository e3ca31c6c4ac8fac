-- The last batch number that was drawn, 0 before the first; it may belong to a transaction that still runs or was rolled back.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM ledger_batch_seq
