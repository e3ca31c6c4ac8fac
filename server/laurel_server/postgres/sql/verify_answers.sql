-- Answers that are kept under idempotency keys. $1: keys. Result: key and outcome. Cost: one index look-up each.
SELECT key, outcome FROM idempotency_keys WHERE key = ANY ($1::bytea[])
