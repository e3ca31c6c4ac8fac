-- The newest seal. Cost: one index look-up.
SELECT batch_no, seal FROM ledger_seals ORDER BY batch_no DESC LIMIT 1
