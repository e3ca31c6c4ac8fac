-- Raises the version of the rules and has every account look at all badge rules with its next award. Batches that have
-- drawn their number and may still read the old definitions stay below the new mark: it lies 32 batches ahead.
UPDATE rules_version
   SET version = version + 1, badges_since = ((SELECT last_value FROM ledger_batch_seq) + 32) * 1024
