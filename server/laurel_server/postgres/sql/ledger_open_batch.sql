-- Locks the users of a batch and reads what its awards need; see the function's own comment in the migrations. The shared
-- lock before it is taken alone by a change of the boards (boards_barrier); the CASE makes the batch wait for it.
-- $1: distinct user ids, $2: digests of idempotency keys.
SELECT batch.*
  FROM pg_advisory_xact_lock_shared(hashtext('laurel boards')) AS held
 CROSS JOIN LATERAL open_ledger_batch(CASE WHEN held IS NULL THEN NULL ELSE $1::text[] END, $2) AS batch
