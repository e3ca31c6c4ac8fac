-- Locks the users of a batch and reads what its awards need; see the function's own comment in the migrations.
-- $1: distinct user ids, $2: digests of idempotency keys.
SELECT * FROM open_ledger_batch($1, $2)
