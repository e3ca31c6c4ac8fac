-- Keeps seals. A seal follows from what is before it, so two servers that seal at once write the same.
-- $1: batch numbers, $2: seals.
INSERT INTO ledger_seals (batch_no, seal) SELECT * FROM unnest($1::bigint[], $2::bytea[]) ON CONFLICT (batch_no) DO NOTHING
