-- Spending: which lots an entry took points from, holds, and how far entries have been reversed.

-- What an entry took from each lot; negative: gave back to it. The bounds of the lot are kept, because a lot that is spent is
-- deleted and may have to come back. Append-only, like the entries.
CREATE TABLE lot_debits (
    transaction_id bigint NOT NULL,
    lot_id         bigint NOT NULL,
    points         bigint NOT NULL CHECK (points <> 0),
    activates_at   timestamptz,
    expires_at     timestamptz NOT NULL,  -- infinity: never
    PRIMARY KEY (transaction_id, lot_id)
);
CREATE TRIGGER lot_debits_append_only BEFORE UPDATE OR DELETE ON lot_debits
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER lot_debits_no_truncate BEFORE TRUNCATE ON lot_debits
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How far an entry has been reversed: points taken back (of a redemption: given back), and which part of it was asked back
-- so far, as an exact fraction such as 2/3. Written under the user's row lock.
CREATE TABLE reversals (
    transaction_id  bigint PRIMARY KEY,
    reversed_points bigint NOT NULL CHECK (reversed_points >= 0),
    part            text NOT NULL DEFAULT '0'
) WITH (fillfactor = 80);

-- Points set aside. A hold past its time has expired, also before the sweep says so in `state`.
CREATE TABLE holds (
    hold_id         bigint PRIMARY KEY,
    user_no         bigint NOT NULL REFERENCES users,
    points          bigint NOT NULL CHECK (points > 0),
    captured_points bigint NOT NULL DEFAULT 0 CHECK (captured_points BETWEEN 0 AND points),
    state           smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4),  -- 1 active, 2 captured, 3 released, 4 expired
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    reference_id    text NOT NULL DEFAULT '',
    reason          text NOT NULL DEFAULT ''
) WITH (fillfactor = 80);
CREATE INDEX holds_active_by_user ON holds (user_no, expires_at) WHERE state = 1;
CREATE INDEX holds_active_by_time ON holds (expires_at) WHERE state = 1;

-- Pending points of a user without a look at all his lots.
CREATE INDEX lots_pending ON lots (user_no, activates_at) WHERE activates_at IS NOT NULL;

-- The lots of one user that count at `moment`, in the order of spending, until they have `wanted` points together.
-- Cost: the lots that are returned, and pending ones that expire before them; not the lots of the user.
CREATE FUNCTION spendable_lots(of_user bigint, wanted bigint, moment timestamptz) RETURNS SETOF lots LANGUAGE plpgsql STABLE AS $$
DECLARE
    lot lots;
    found_points bigint := 0;
BEGIN
    FOR lot IN
        SELECT * FROM lots
         WHERE user_no = of_user AND expires_at > moment AND (activates_at IS NULL OR activates_at <= moment)
         ORDER BY user_no, expires_at, lot_id
    LOOP
        EXIT WHEN found_points >= wanted;
        found_points := found_points + lot.remaining;
        RETURN NEXT lot;
    END LOOP;
END $$;
