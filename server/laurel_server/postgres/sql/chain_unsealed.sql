-- The next batches to seal, in order. $1: after this number, $2: up to and including this one, $3: how many.
SELECT batch_no, digest FROM ledger_batches WHERE batch_no > $1 AND batch_no <= $2 ORDER BY batch_no LIMIT $3
