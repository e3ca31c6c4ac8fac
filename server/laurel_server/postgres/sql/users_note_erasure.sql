-- Tells the repair of the boards that the holder of an id was erased. $1: batch number, $2: the boards left, as an event.
INSERT INTO outbox (batch_no, user_nos, events) VALUES ($1, '{}', $2)
