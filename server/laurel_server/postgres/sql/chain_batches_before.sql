-- The first batches with a digest or a seal below a number, below which there should be none. $1: the number. Cost: those rows.
(SELECT batch_no FROM ledger_batches WHERE batch_no < $1 ORDER BY batch_no LIMIT 10)
UNION
(SELECT batch_no FROM ledger_seals WHERE batch_no < $1 ORDER BY batch_no LIMIT 10)
ORDER BY batch_no
