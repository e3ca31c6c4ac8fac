-- Puts an event aside that a reader cannot handle; a second time changes nothing.
-- $1: reader, $2: where it heard it (outbox, or TOPIC/PARTITION of Kafka), $3: batch number or offset, $4: place in the batch,
-- $5: the event, $6: what is wrong with it.
INSERT INTO events_set_aside (reader, origin, batch_no, place, event, error) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
