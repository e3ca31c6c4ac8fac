-- A table of this transaction's own for what ranks_take works out: it costs the log of the ledger nothing. A row a board and
-- 1,024 users, numbered from 1.
CREATE TEMPORARY TABLE ranks_taken (
    place    bigint GENERATED ALWAYS AS IDENTITY,
    scope    text NOT NULL,
    shard    bigint NOT NULL,
    total    bigint NOT NULL,
    user_nos bigint[] NOT NULL,
    ranks    bigint[] NOT NULL,
    scores   bigint[] NOT NULL
) ON COMMIT DROP
