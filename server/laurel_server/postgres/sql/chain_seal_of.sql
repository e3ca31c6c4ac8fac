-- The seal of a batch. $1: its number. Cost: one index look-up.
SELECT seal FROM ledger_seals WHERE batch_no = $1
