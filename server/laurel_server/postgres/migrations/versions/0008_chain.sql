-- The hash chain: a digest of each batch, stored with its entries, and seals that bind each digest to all before it.

-- One row a batch that has entries, written in its transaction. domain/chain.py says what the digest covers.
CREATE TABLE ledger_batches (
    batch_no bigint PRIMARY KEY,
    month    integer NOT NULL,   -- of its transaction ids
    entries  integer NOT NULL CHECK (entries > 0),
    digest   bytea NOT NULL
);

-- Written behind the batches, in their order, by one server (see rewards/sealing.py).
CREATE TABLE ledger_seals (
    batch_no bigint PRIMARY KEY,
    seal     bytea NOT NULL
);

CREATE TRIGGER ledger_batches_append_only BEFORE UPDATE OR DELETE ON ledger_batches
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_batches_no_truncate BEFORE TRUNCATE ON ledger_batches
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_seals_append_only BEFORE UPDATE OR DELETE ON ledger_seals
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_seals_no_truncate BEFORE TRUNCATE ON ledger_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The chain begins with the first batch after this migration.
CREATE TABLE ledger_chain (
    singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    first_batch bigint NOT NULL
);
INSERT INTO ledger_chain (first_batch) SELECT last_value + is_called::int FROM ledger_batch_seq;

-- As before, but a transaction gets its id before it draws the batch number. So whoever may still commit a batch up to some
-- number is among the transactions that ran when that number was the last, and once those are over, the batches up to it are
-- all there (see sealing).
DO $$
DECLARE
    definition text := pg_get_functiondef('open_ledger_batch'::regproc);
    drawn text := 'opened := nextval(''ledger_batch_seq'');';
BEGIN
    IF position(drawn IN definition) = 0 THEN
        RAISE EXCEPTION 'open_ledger_batch draws no batch number';
    END IF;
    EXECUTE replace(definition, drawn, 'PERFORM pg_current_xact_id();' || E'\n    ' || drawn);
END $$;
