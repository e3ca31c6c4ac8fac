-- What was kept of a month's batches. $1: month, $2: after this batch number, $3: up to and including this one.
SELECT batch_no, entries, digest FROM ledger_batches WHERE month = $1 AND batch_no > $2 AND batch_no <= $3
