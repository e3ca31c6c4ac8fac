-- What this database has been filled with from the ledger: all of it, and the ranks of days.
CREATE TABLE IF NOT EXISTS fills (
    what    LowCardinality(String),     -- ledger or days
    done_at DateTime64(6, 'UTC'),
    until   DateTime64(6, 'UTC'),       -- days: the last moment of the ranks that were written
    entries Int64,
    gaps    Int64                       -- how often events had been dropped on their way here
) ENGINE = MergeTree
ORDER BY (what, done_at)
