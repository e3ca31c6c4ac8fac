-- The best of every board that was closed, as it was frozen, with what they won.
CREATE TABLE IF NOT EXISTS period_results (
    scope        LowCardinality(String),
    period_id    LowCardinality(String),
    user_no      Int64,
    rank         Int64,
    score        Int64,
    bonus_points Int64,
    participants Int64,
    closed_at    DateTime64(6, 'UTC')
) ENGINE = ReplacingMergeTree
ORDER BY (period_id, scope, user_no)
