-- What users are to be told, what they want to be told, and what they were told of their ranks.

CREATE TABLE notifications (
    notification_id text PRIMARY KEY,
    user_id         text NOT NULL,
    kind            text NOT NULL,
    message         text NOT NULL,
    data            jsonb NOT NULL,
    created_at      timestamptz NOT NULL,
    due_at          timestamptz NOT NULL,  -- not before; moves on with each attempt that failed
    state           smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),  -- 1 waiting, 2 sent, 3 given up
    attempts        int NOT NULL DEFAULT 0,
    error           text NOT NULL DEFAULT ''
) WITH (fillfactor = 80);
CREATE INDEX notifications_waiting ON notifications (due_at) WHERE state = 1;
CREATE INDEX notifications_by_user ON notifications (user_id, created_at);

CREATE TABLE notification_preferences (
    user_no      bigint PRIMARY KEY REFERENCES users,
    muted        text[] NOT NULL DEFAULT '{}',
    quiet_from   time,
    quiet_until  time,
    paused_until timestamptz,
    CHECK ((quiet_from IS NULL) = (quiet_until IS NULL))
);

-- The rank on the global all-time board that each user was told last.
CREATE TABLE told_ranks (
    user_id text PRIMARY KEY,
    rank    bigint NOT NULL,
    told_at timestamptz NOT NULL
) WITH (fillfactor = 70);
