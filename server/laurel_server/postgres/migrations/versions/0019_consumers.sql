-- Consumers hear events from the outbox or from Kafka, and may miss some that were dropped before.

-- How often events were dropped before this reader had heard them. It only grows: analytics compares it with what it was
-- when the whole ledger was written, and writes it again.
ALTER TABLE event_positions ADD COLUMN gaps bigint NOT NULL DEFAULT 0;

-- Where an event was heard: the outbox, or TOPIC/PARTITION of Kafka; then batch_no is the offset.
ALTER TABLE events_set_aside ADD COLUMN origin text NOT NULL DEFAULT 'outbox';
ALTER TABLE events_set_aside DROP CONSTRAINT events_set_aside_pkey, ADD PRIMARY KEY (reader, origin, batch_no, place);
