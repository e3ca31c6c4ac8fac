-- Where everybody stood at the end of each day: one row a board, day and 1,024 users, as parallel arrays by user number.
-- About 25 bytes a user and day before compression, a quarter of what a row each would take.
CREATE TABLE rank_history (
    scope     text NOT NULL,
    period_id text NOT NULL,
    shard     bigint NOT NULL,  -- user_no >> 10
    taken_on  date NOT NULL,
    taken_at  timestamptz NOT NULL,
    total     bigint NOT NULL,
    user_nos  bigint[] NOT NULL,
    ranks     bigint[] NOT NULL,
    scores    bigint[] NOT NULL,
    PRIMARY KEY (scope, period_id, shard, taken_on)
);
CREATE INDEX rank_history_by_day ON rank_history USING brin (taken_on);
