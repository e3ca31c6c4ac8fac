-- Boards as data, and the scores of boards that are not filled from the ledger's entries.

-- Configured boards. A change raises rules_version, so that servers notice. board_no is the ledger's own number: a board that
-- is deleted and created again under its id has another one, and none of the scores of the board before.
CREATE SEQUENCE board_no_seq AS bigint;
CREATE TABLE boards (
    board_id       text PRIMARY KEY CHECK (board_id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$' AND board_id <> 'global'),
    board_no       bigint NOT NULL UNIQUE DEFAULT nextval('board_no_seq'),
    display_name   text NOT NULL,
    kind           smallint NOT NULL CHECK (kind BETWEEN 1 AND 2),  -- 1 points, 2 scores
    scope          text NOT NULL,  -- of a score board its id
    period_type    smallint NOT NULL CHECK (period_type BETWEEN 1 AND 6),
    reset_cron     text NOT NULL DEFAULT '',
    operator       smallint NOT NULL DEFAULT 1 CHECK (operator BETWEEN 1 AND 3),
    sort_order     smallint NOT NULL DEFAULT 1 CHECK (sort_order BETWEEN 1 AND 2),
    tie_policy     smallint NOT NULL DEFAULT 1 CHECK (tie_policy BETWEEN 1 AND 3),
    max_entries    bigint NOT NULL DEFAULT 0 CHECK (max_entries >= 0),
    winner_bonuses jsonb NOT NULL DEFAULT '[]',  -- [[rank, points], ...]
    min_score      bigint,
    max_score      bigint,
    is_filled      boolean NOT NULL DEFAULT true,  -- false: the boards in Redis do not have everybody yet
    UNIQUE (scope, period_type)
);
ALTER SEQUENCE board_no_seq OWNED BY boards.board_no;

INSERT INTO boards (board_id, display_name, kind, scope, period_type, winner_bonuses) VALUES
    ('global-daily', 'Global, today', 1, 'global', 1, '[[1, 100], [2, 50], [3, 25]]'),
    ('global-weekly', 'Global, this week', 1, 'global', 2, '[[1, 1000], [2, 500], [3, 250]]'),
    ('global-monthly', 'Global, this month', 1, 'global', 3, '[[1, 5000], [2, 2500], [3, 1000]]'),
    ('global-all', 'Global, all time', 1, 'global', 6, '[]'),
    ('country-weekly', 'Country, this week', 1, 'country:*', 2, '[]'),
    ('country-all', 'Country, all time', 1, 'country:*', 6, '[]'),
    ('tier-weekly', 'Tier, this week', 1, 'tier:*', 2, '[]'),
    ('tier-all', 'Tier, all time', 1, 'tier:*', 6, '[]');
UPDATE rules_version SET version = version + 1;

-- Score boards that have had a score, by reset period ('all' without resets): no row, no members.
CREATE TABLE score_periods (
    board_no  bigint NOT NULL,
    period_id text NOT NULL,
    starts_at timestamptz,
    ends_at   timestamptz,
    PRIMARY KEY (board_no, period_id)
);

-- What users have on score boards. reached = ledger sequence at which the pair last changed (ties: smaller is earlier),
-- version = ledger sequence of the last change of the row, drawn under the lock of the user's hot row.
-- No index on what changes, so updates stay HOT.
CREATE TABLE scores (
    board_no  bigint NOT NULL,
    period_id text NOT NULL,
    user_no   bigint NOT NULL REFERENCES users,
    score     bigint NOT NULL CHECK (score BETWEEN -9007199254740992 AND 9007199254740992),
    sub_score bigint NOT NULL CHECK (sub_score BETWEEN -9007199254740992 AND 9007199254740992),
    reached   bigint NOT NULL,
    version   bigint NOT NULL,
    metadata  json NOT NULL,
    PRIMARY KEY (board_no, period_id, user_no)
) WITH (fillfactor = 70);
CREATE INDEX scores_by_user ON scores (user_no);
