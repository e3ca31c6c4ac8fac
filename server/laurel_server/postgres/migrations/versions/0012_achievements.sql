-- What WatchAchievements tells, in the order (xid, achievement_no). A row is safe to tell once its xid is below every
-- running transaction's: then no row can come any more that stands before it. So a stream can go on from a position.
-- kind: 1 badge, 2 change of tier, 3 milestone of points, 4 milestone of ranks. facts: the rest, as JSON.
CREATE TABLE achievements (
    achievement_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid            xid8 NOT NULL DEFAULT pg_current_xact_id(),
    user_no        bigint NOT NULL,
    kind           smallint NOT NULL CHECK (kind BETWEEN 1 AND 4),
    milestone      bigint CHECK ((milestone IS NOT NULL) = (kind >= 3)),
    facts          json NOT NULL
);
CREATE INDEX achievements_in_order ON achievements (xid, achievement_no);
-- A milestone is told once, however often it is passed.
CREATE UNIQUE INDEX achievements_milestones ON achievements (user_no, kind, milestone) WHERE kind >= 3;

-- Every promotion and demotion. cause: the action of the entry that caused it, or REVIEW. points: those that decided.
CREATE TABLE tier_changes (
    change_no      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_no        bigint NOT NULL,
    from_tier      smallint NOT NULL CHECK (from_tier BETWEEN 1 AND 5),
    to_tier        smallint NOT NULL CHECK (to_tier BETWEEN 1 AND 5),
    changed_at     timestamptz NOT NULL,
    cause          text NOT NULL,
    transaction_id bigint,
    points         bigint NOT NULL
);
CREATE INDEX tier_changes_by_user ON tier_changes (user_no, change_no);
