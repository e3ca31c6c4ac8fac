-- Promotions and demotions.
CREATE TABLE IF NOT EXISTS tier_changes (
    changed_at DateTime64(6, 'UTC'),
    user_no    Int64,
    from_tier  LowCardinality(String),
    to_tier    LowCardinality(String)
) ENGINE = ReplacingMergeTree
ORDER BY (changed_at, user_no, from_tier)
