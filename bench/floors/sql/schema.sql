-- The conventional tables of a rewards service, in a schema of their own beside Laurel's.
-- Inputs: none; :people users are filled in by the caller. Cost: drops what an earlier run left.
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;

CREATE TABLE bench.entries (
    entry_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id text NOT NULL UNIQUE,
    user_id    bigint NOT NULL,
    action     text NOT NULL,
    points     bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX entries_by_user ON bench.entries (user_id, created_at);

CREATE TABLE bench.balances (
    user_id         bigint PRIMARY KEY,
    balance         bigint NOT NULL DEFAULT 0,
    lifetime_points bigint NOT NULL DEFAULT 0,
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE bench.outbox (
    outbox_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text NOT NULL,
    payload    jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
