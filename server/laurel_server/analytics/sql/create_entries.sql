-- Entries of the ledger, with what trends group by. A row that is written again replaces itself. Users are kept by number, so
-- that nothing has to be done here when a person is erased.
CREATE TABLE IF NOT EXISTS entries (
    transaction_id Int64,
    user_no        Int64,
    action         LowCardinality(String),
    points         Int64,
    is_award       Bool,                      -- gives points that were earned: no cancellation, no reversal
    tier           LowCardinality(String),    -- after the entry
    country        LowCardinality(String),    -- of the user when the entry was read
    region         LowCardinality(String),
    segments       Array(LowCardinality(String)),
    occurred_at    DateTime64(6, 'UTC'),
    recorded_at    DateTime64(6, 'UTC'),
    activates_at   Nullable(DateTime64(6, 'UTC')),
    expires_at     Nullable(DateTime64(6, 'UTC'))
) ENGINE = ReplacingMergeTree
PARTITION BY toYear(occurred_at)
ORDER BY (occurred_at, transaction_id)
