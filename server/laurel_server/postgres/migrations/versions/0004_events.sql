-- Reading the outbox in order: how far each reader has come, and what could not be read.

-- Rows are read in windows of transaction ids, because a batch number says nothing about the order of COMMITs.
CREATE INDEX outbox_by_xid ON outbox (xid);

-- How far a reader of the outbox has come: all rows with xid < from_xid are done; of those with from_xid <= xid < until_xid
-- the batches up to batch_no. Kept after delivery, so a reader that dies repeats the last page: at least once.
CREATE TABLE event_positions (
    reader     text PRIMARY KEY,
    from_xid   bigint NOT NULL DEFAULT 0,
    until_xid  bigint NOT NULL DEFAULT 0,
    batch_no   bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (from_xid <= until_xid)
) WITH (fillfactor = 50);

-- Events that a reader could not handle, put aside so that those behind them go on. For operators; nothing reads it.
CREATE TABLE events_set_aside (
    reader       text NOT NULL,
    batch_no     bigint NOT NULL,
    place        int NOT NULL,  -- position within the events of the batch, from 0; -1: the whole row
    event        text NOT NULL,
    error        text NOT NULL,
    set_aside_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (reader, batch_no, place)
);

-- The events one by one, for those who read them without Kafka.
CREATE VIEW events AS
    SELECT o.batch_no, (e.place - 1)::int AS place, e.event ->> 'type' AS type, e.event ->> 'user_id' AS user_id,
           e.event AS body, o.xid, o.created_at
      FROM outbox o CROSS JOIN LATERAL json_array_elements(o.events) WITH ORDINALITY AS e(event, place);
