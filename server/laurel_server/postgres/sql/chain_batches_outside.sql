-- Batches of months of which there are no entries. $1: months of which there are some, $2: up to this batch number.
-- Cost: all batches.
SELECT batch_no FROM ledger_batches WHERE NOT month = ANY ($1::bigint[]) AND batch_no <= $2 ORDER BY batch_no LIMIT 1000
