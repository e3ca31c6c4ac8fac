-- The ledger: users, balances, entries, lots, idempotency, outbox, boards, rules.
--
-- What is written on each award is kept small and its indexes few, because every index entry costs an award about 5 us:
-- one entry, one lot, one idempotency key, and ONE hot row a user (user_rewards). The hot row has no index on a column
-- that changes, so its updates stay HOT.

CREATE SEQUENCE user_no_seq AS bigint;

-- People. user_no is the ledger's own number of a person; user_id is the caller's name for him.
CREATE TABLE users (
    user_no        bigint PRIMARY KEY DEFAULT nextval('user_no_seq'),
    user_id        text NOT NULL UNIQUE CHECK (user_id ~ '^[A-Za-z0-9_.:@-]{1,64}$'),
    username       text NOT NULL DEFAULT '',
    email          text NOT NULL DEFAULT '',
    avatar_url     text NOT NULL DEFAULT '',
    country        text NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z]{2})?$'),
    region         text NOT NULL DEFAULT '',
    timezone       text NOT NULL DEFAULT '',
    segments       text[] NOT NULL DEFAULT '{}',
    birth_date     date,
    visibility     smallint NOT NULL DEFAULT 1 CHECK (visibility BETWEEN 1 AND 3),  -- 1 public, 2 hidden, 3 shadow
    created_at     timestamptz NOT NULL
);
ALTER SEQUENCE user_no_seq OWNED BY users.user_no;

-- One hot row a user: every award locks it, reads it and writes it once.
-- balance = sum of the user's entries = sum of open lots - deficit.
-- open_totals = {"2026-11-23": [score, reached], "2026-W48": [...], "all": [...]}: what the user has in each period that is
-- current or in grace, and the ledger sequence at which it last changed (ties: smaller is earlier). A period that is over
-- moves to period_totals with the user's next award.
-- version = ledger sequence of the last change; it is drawn under this row's lock, so it never goes back.
CREATE TABLE user_rewards (
    user_no         bigint PRIMARY KEY REFERENCES users,
    balance         bigint NOT NULL DEFAULT 0,
    deficit         bigint NOT NULL DEFAULT 0 CHECK (deficit >= 0),
    lifetime_points bigint NOT NULL DEFAULT 0,
    redeemed_points bigint NOT NULL DEFAULT 0 CHECK (redeemed_points >= 0),
    expired_points  bigint NOT NULL DEFAULT 0 CHECK (expired_points >= 0),
    held_points     bigint NOT NULL DEFAULT 0 CHECK (held_points >= 0),
    tier            smallint NOT NULL DEFAULT 1 CHECK (tier BETWEEN 1 AND 5),
    tier_since      timestamptz,
    next_expiry     timestamptz,  -- no open lot expires before; NULL: none expires
    pending_until   timestamptz,  -- no open lot is pending after; NULL: none is pending
    last_reward_at  timestamptz,
    version         bigint NOT NULL DEFAULT 0,
    open_totals     jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- What users had in periods that are over, and the scopes in which they had it: who is promoted or moves later stays on the
-- boards of the past.
CREATE TABLE period_totals (
    period_id text NOT NULL,
    user_no   bigint NOT NULL REFERENCES users,
    score     bigint NOT NULL,
    reached   bigint NOT NULL,
    scopes    text[] NOT NULL,
    PRIMARY KEY (period_id, user_no)
) WITH (fillfactor = 80);

-- Every user's score in every period, wherever it is kept.
CREATE VIEW standings AS
    SELECT t.key AS period_id, r.user_no, (t.value ->> 0)::bigint AS score, (t.value ->> 1)::bigint AS reached
      FROM user_rewards r CROSS JOIN LATERAL jsonb_each(r.open_totals) t
    UNION ALL
    SELECT p.period_id, p.user_no, p.score, p.reached FROM period_totals p;

-- Numbers the committed batches; drawn after the row locks of the batch are held.
CREATE SEQUENCE ledger_batch_seq AS bigint;

-- Entries, append-only. transaction_id = (months since 1970-01 of transaction_time) << 48 | batch << 10 | place in batch,
-- so that the id alone names the partition and orders the ledger.
-- No foreign key on user_no: it comes from the row that the same transaction has locked, and the check would cost 8 us a row.
CREATE TABLE reward_transactions (
    transaction_id          bigint NOT NULL,
    user_no                 bigint NOT NULL,
    action                  text NOT NULL,
    points                  bigint NOT NULL,
    base_points             numeric NOT NULL,
    multiplier              numeric NOT NULL,
    order_id                text,
    referral_id             text,
    reference_id            text,
    reason                  text,
    created_by              text NOT NULL,
    request_id              text NOT NULL,
    transaction_time        timestamptz NOT NULL,
    occurred_at             timestamptz NOT NULL,
    activates_at            timestamptz,
    expires_at              timestamptz,
    reverses_transaction_id bigint,
    balance_after           bigint NOT NULL,
    inputs                  json NOT NULL,  -- attributes, tier, config and campaign versions, periods counted: enough to recompute
    PRIMARY KEY (transaction_id)
) PARTITION BY RANGE (transaction_id);
CREATE INDEX reward_transactions_by_user ON reward_transactions (user_no, transaction_id);
CREATE TABLE reward_transactions_default PARTITION OF reward_transactions DEFAULT;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER reward_transactions_append_only BEFORE UPDATE OR DELETE ON reward_transactions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reward_transactions_no_truncate BEFORE TRUNCATE ON reward_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Makes the partition of a month (months since 1970-01) unless it is there.
-- Cost: a catalogue look-up; when missing, one DDL under a short lock.
CREATE FUNCTION make_entry_partition(month bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    partition_name text := 'reward_transactions_' || to_char(make_date((1970 + month / 12)::int, (month % 12 + 1)::int, 1), 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('make_entry_partition'));
    IF to_regclass(partition_name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF reward_transactions FOR VALUES FROM (%s) TO (%s)',
                       partition_name, month << 48, (month + 1) << 48);
    END IF;
END $$;

-- Open lots: what is left of an award. A lot that is spent is deleted; its entry stays. Lots that never expire have
-- 'infinity', so the key is the order of spending: soonest expiry first, then oldest.
CREATE TABLE lots (
    user_no      bigint NOT NULL,
    expires_at   timestamptz NOT NULL,
    lot_id       bigint NOT NULL,  -- transaction_id of the award
    remaining    bigint NOT NULL CHECK (remaining > 0),
    activates_at timestamptz,
    PRIMARY KEY (user_no, expires_at, lot_id)
) WITH (fillfactor = 80);

-- Answers already given. key = digest of caller, RPC family and request_id.
CREATE TABLE idempotency_keys (
    key          bytea PRIMARY KEY,
    request_hash bytea NOT NULL,
    outcome      bytea NOT NULL,
    created_at   timestamptz NOT NULL
);

-- What a user has had of a capped or cooled-down action; only such actions have rows.
CREATE TABLE action_usage (
    user_no      bigint NOT NULL REFERENCES users,
    action       text NOT NULL,
    day          date NOT NULL,
    points       bigint NOT NULL,
    last_at      timestamptz NOT NULL,
    PRIMARY KEY (user_no, action)
) WITH (fillfactor = 80);

-- One row a committed batch: its events, and the users whose boards must follow.
-- created_at is the machine's time, not the business clock: repair waits by it. A row is safe to read in order once its
-- xid is below every running transaction's.
CREATE TABLE outbox (
    batch_no   bigint PRIMARY KEY,
    xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    projected  boolean NOT NULL DEFAULT false,
    user_nos   bigint[] NOT NULL,
    events     json NOT NULL
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX outbox_unprojected ON outbox (batch_no) WHERE NOT projected;

-- Board instances. Inserted by the transaction that first puts a user on the board, so: no row, no members.
CREATE TABLE leaderboard_periods (
    scope       text NOT NULL,
    period_id   text NOT NULL,
    period_type smallint NOT NULL CHECK (period_type BETWEEN 1 AND 6),
    starts_at   timestamptz,
    ends_at     timestamptz,
    state       smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4),  -- 1 active, 2 closing, 3 completed, 4 archived
    PRIMARY KEY (scope, period_id)
);

-- Rules, append-only by version; the latest holds. rules_version grows with every change, so that servers notice.
CREATE TABLE rules_version (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    version bigint NOT NULL
);
INSERT INTO rules_version (version) VALUES (1);

CREATE TABLE reward_action_configs (
    action                text NOT NULL CHECK (action ~ '^[A-Z][A-Z0-9_]{0,63}$'),
    version               bigint NOT NULL,
    display_name          text NOT NULL,
    description           text NOT NULL,
    points_formula        text NOT NULL,
    base_points           numeric,
    tier_multipliers      jsonb NOT NULL,
    max_points_per_action bigint NOT NULL CHECK (max_points_per_action >= 0),
    max_daily_points      bigint NOT NULL CHECK (max_daily_points >= 0),
    cap_mode              smallint NOT NULL,
    cooldown              interval NOT NULL,
    expires_after         text NOT NULL,
    board_effect          smallint NOT NULL,
    active                boolean NOT NULL,
    effective_from        timestamptz,
    effective_until       timestamptz,
    created_by            text NOT NULL,
    created_at            timestamptz NOT NULL,
    PRIMARY KEY (action, version)
);

CREATE TABLE campaigns (
    campaign_id   text NOT NULL,
    version       bigint NOT NULL,
    display_name  text NOT NULL,
    actions       text[] NOT NULL,
    multiplier    numeric NOT NULL CHECK (multiplier >= 1),
    starts_at     timestamptz,
    ends_at       timestamptz,
    tiers         smallint[] NOT NULL,
    countries     text[] NOT NULL,
    segments      text[] NOT NULL,
    stack_mode    smallint NOT NULL,
    budget_points bigint NOT NULL CHECK (budget_points >= 0),
    active        boolean NOT NULL,
    created_by    text NOT NULL,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (campaign_id, version)
);

-- Extra points that a campaign has given; awards of campaigns with a budget queue on this row.
CREATE TABLE campaign_spending (
    campaign_id  text PRIMARY KEY,
    spent_points bigint NOT NULL CHECK (spent_points >= 0)
);

-- The test clock, only used in sandboxes.
CREATE TABLE sandbox_clock (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    now  timestamptz NOT NULL
);

-- Opens a batch: locks the users' hot rows in order, then draws the batch number, then reads.
-- Inputs: distinct user ids; digests of the idempotency keys. Result: one row a known user, then one row a key that was
-- answered before (user_no NULL); each carries batch_no and rules_version; always at least one row (all else NULL).
-- The reads are statements of their own so that they see what was committed while the locks were waited for. A user who was
-- created meanwhile is not locked and so not returned: his row could change under the batch. Creating him fails, and the
-- batch is run again.
-- Cost: two index look-ups a user, one a key.
CREATE FUNCTION open_ledger_batch(ids text[], keys bytea[])
RETURNS TABLE (
    batch_no bigint, rules bigint, user_no bigint, user_id text, country text, region text, segments text[], visibility smallint,
    balance bigint, deficit bigint, lifetime_points bigint, redeemed_points bigint, expired_points bigint, held_points bigint,
    tier smallint, tier_since timestamptz, next_expiry timestamptz, pending_until timestamptz, last_reward_at timestamptz,
    version bigint, open_totals text, key bytea, request_hash bytea, outcome bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    locked bigint[];
    opened bigint;
    current_rules bigint;
BEGIN
    locked := ARRAY(
        SELECT r.user_no FROM user_rewards r
         WHERE r.user_no IN (SELECT u.user_no FROM users u WHERE u.user_id = ANY (ids))
         ORDER BY r.user_no FOR UPDATE);
    opened := nextval('ledger_batch_seq');
    SELECT v.version INTO current_rules FROM rules_version v;
    RETURN QUERY
    SELECT opened, current_rules, u.user_no, u.user_id, u.country, u.region, u.segments, u.visibility,
           r.balance, r.deficit, r.lifetime_points, r.redeemed_points, r.expired_points, r.held_points,
           r.tier, r.tier_since, r.next_expiry, r.pending_until, r.last_reward_at, r.version, r.open_totals::text,
           NULL::bytea, NULL::bytea, NULL::bytea
      FROM users u JOIN user_rewards r USING (user_no) WHERE u.user_no = ANY (locked);
    RETURN QUERY
    SELECT opened, current_rules, NULL::bigint, NULL::text, NULL::text, NULL::text, NULL::text[], NULL::smallint,
           NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
           NULL::smallint, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::bigint, NULL::text,
           i.key, i.request_hash, i.outcome
      FROM (SELECT NULL::bytea AS key, NULL::bytea AS request_hash, NULL::bytea AS outcome
            UNION ALL
            SELECT k.key, k.request_hash, k.outcome FROM idempotency_keys k WHERE k.key = ANY (keys)) i;
END $$;
