-- Notes that batches are on the boards. $1: batch numbers.
UPDATE outbox SET projected = true WHERE batch_no = ANY ($1::bigint[])
