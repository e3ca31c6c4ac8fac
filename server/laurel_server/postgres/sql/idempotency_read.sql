-- The answer given before under an idempotency key. $1: the key. Cost: one index look-up.
SELECT request_hash, outcome FROM idempotency_keys WHERE key = $1
