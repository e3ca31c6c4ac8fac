-- Closes the periods that ended at $1 or before, if that is news. The version grows, so that every batch that begins after
-- this has committed reads it. Cost: one row.
UPDATE rules_version SET version = version + 1, closed_through = $1
 WHERE closed_through IS NULL OR closed_through < $1
