-- Keeps the answers of a batch in which every award was refused: nothing else is written.
-- $1: keys, $2: request hashes, $3: outcomes. They age by the machine's time: a retry comes in real time, whatever the
-- business clock does.
INSERT INTO idempotency_keys (key, request_hash, outcome, created_at)
SELECT a.key, a.request_hash, a.outcome, clock_timestamp()
  FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS a(key, request_hash, outcome)
