-- Where users stood: soon after entries of their own, and, as the ledger noted it, at the ends of days.
CREATE TABLE IF NOT EXISTS rank_snapshots (
    user_no   Int64,
    scope     LowCardinality(String),
    period_id LowCardinality(String),
    time      DateTime64(6, 'UTC'),
    rank      Int64,
    score     Int64,
    total     Int64
) ENGINE = ReplacingMergeTree
ORDER BY (user_no, scope, period_id, time)
