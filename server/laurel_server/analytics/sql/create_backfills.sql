-- That this database has once been filled from the ledger whole.
CREATE TABLE IF NOT EXISTS backfills (
    done_at DateTime64(6, 'UTC'),
    entries Int64
) ENGINE = MergeTree
ORDER BY done_at
