-- Drops the counts of actions that no badge rule has counted for a while, so that they are counted anew from the ledger.
-- $1: actions. Cost: a look at all usage; nothing is written of actions that were never counted.
UPDATE action_usage SET awards = NULL WHERE action = ANY ($1::text[]) AND awards IS NOT NULL
