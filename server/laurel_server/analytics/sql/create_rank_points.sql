-- Where users stood soon after entries of their own.
CREATE TABLE IF NOT EXISTS rank_points (
    user_no   Int64,
    scope     LowCardinality(String),
    period_id LowCardinality(String),
    time      DateTime64(6, 'UTC'),
    rank      Int64,
    score     Int64,
    total     Int64
) ENGINE = ReplacingMergeTree
ORDER BY (user_no, scope, period_id, time)
