-- Batches and seals, in order of their numbers, whichever of the two is missing.
-- $1: after this number, $2: up to and including this one, $3: how many.
SELECT batch_no, b.digest, s.seal
  FROM (SELECT * FROM ledger_batches WHERE batch_no > $1 AND batch_no <= $2 ORDER BY batch_no LIMIT $3) b
  FULL JOIN (SELECT * FROM ledger_seals WHERE batch_no > $1 AND batch_no <= $2 ORDER BY batch_no LIMIT $3) s USING (batch_no)
 ORDER BY batch_no LIMIT $3
