-- Where users stood soon after entries of their own.
CREATE TABLE IF NOT EXISTS rank_points (
    user_id   String,
    scope     LowCardinality(String),
    period_id LowCardinality(String),
    time      DateTime64(6, 'UTC'),
    rank      Int64,
    score     Int64,
    total     Int64
) ENGINE = ReplacingMergeTree
ORDER BY (user_id, scope, period_id, time)
