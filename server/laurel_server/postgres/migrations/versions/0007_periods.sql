-- The end of periods: how far they are closed, their snapshots and their winners.

-- Periods that ended then or before are closed for good. Every batch of awards compares the version of this row, so that it
-- takes no query to know.
ALTER TABLE rules_version ADD COLUMN closed_through timestamptz;

-- completed_at: the standing is frozen and everybody paid. dropped_at: an archived board's keys are out of Redis.
ALTER TABLE leaderboard_periods ADD COLUMN completed_at timestamptz, ADD COLUMN dropped_at timestamptz;
CREATE INDEX leaderboard_periods_by_end ON leaderboard_periods (ends_at) WHERE ends_at IS NOT NULL;
CREATE INDEX leaderboard_periods_by_scope ON leaderboard_periods (scope, period_type, starts_at);

-- A frozen board in numbers, and its best lines: parallel arrays, best first. Users are kept by number, so that an erased
-- person is gone from here too.
CREATE TABLE leaderboard_snapshots (
    scope          text NOT NULL,
    period_id      text NOT NULL,
    participants   bigint NOT NULL CHECK (participants >= 0),
    total_points   bigint NOT NULL,
    average_points double precision NOT NULL,
    median_points  bigint NOT NULL,
    user_nos       bigint[] NOT NULL,
    ranks          bigint[] NOT NULL,
    scores         bigint[] NOT NULL,
    taken_at       timestamptz NOT NULL,
    PRIMARY KEY (scope, period_id),
    FOREIGN KEY (scope, period_id) REFERENCES leaderboard_periods ON DELETE CASCADE
);

-- Who won what when a board was frozen. transaction_id: the entry that paid it; refusal: why the ledger would not.
CREATE TABLE period_winners (
    scope          text NOT NULL,
    period_id      text NOT NULL,
    user_no        bigint NOT NULL REFERENCES users,
    rank           bigint NOT NULL CHECK (rank > 0),
    score          bigint NOT NULL,
    bonus_points   bigint NOT NULL CHECK (bonus_points > 0),
    transaction_id bigint,
    refusal        text,
    PRIMARY KEY (scope, period_id, user_no),
    FOREIGN KEY (scope, period_id) REFERENCES leaderboard_snapshots ON DELETE CASCADE
);
CREATE INDEX period_winners_unpaid ON period_winners (period_id) WHERE transaction_id IS NULL AND refusal IS NULL;
