-- Puts an event aside that a reader cannot handle; a second time changes nothing.
-- $1: reader, $2: batch number, $3: place in the batch, $4: the event, $5: what is wrong with it.
INSERT INTO events_set_aside (reader, batch_no, place, event, error) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
