-- What badges take, append-only by version like the other rules; the latest holds. level_rules: those of level 2, 3, ...
-- valid_for 0: for ever.
CREATE TABLE badge_definitions (
    badge_type   text NOT NULL CHECK (badge_type ~ '^[A-Z][A-Z0-9_]{0,63}$'),
    version      bigint NOT NULL,
    display_name text NOT NULL,
    description  text NOT NULL,
    rule         text NOT NULL,
    level_rules  text[] NOT NULL,
    active       boolean NOT NULL,
    valid_for    interval NOT NULL,
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (badge_type, version)
);

-- Ledger sequence up to which accounts have not seen the definitions as they are: their next award looks at every rule.
ALTER TABLE rules_version ADD COLUMN badges_since bigint NOT NULL DEFAULT 0;

-- Badges that users hold, a row a level. The key is what makes an unlock happen once, whoever finds it first.
-- No foreign key on user_no: an unlocked badge is written before the row of a new user, and the check would cost 8 us.
-- transaction_id: the award that unlocked it; NULL: a job did, for the period in `period_id` if a period was closed.
CREATE TABLE user_badges (
    user_no        bigint NOT NULL,
    badge_type     text NOT NULL,
    level          smallint NOT NULL CHECK (level > 0),
    earned_at      timestamptz NOT NULL,
    expires_at     timestamptz,
    transaction_id bigint,
    period_id      text,
    PRIMARY KEY (user_no, badge_type, level)
);

-- How many awards of the action a user has had; NULL: nobody has counted yet. Kept for actions that a badge rule counts.
ALTER TABLE action_usage ADD COLUMN awards bigint;

-- Up to which state of the definitions the job `award_badges` has looked at every user.
ALTER TABLE rules_version ADD COLUMN badges_swept bigint NOT NULL DEFAULT 0;
