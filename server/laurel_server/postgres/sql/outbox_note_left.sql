-- Tells the repair of the boards who has left them for good. $1: batch number, $2: the boards left, as events in JSON.
INSERT INTO outbox (batch_no, user_nos, events) VALUES ($1, '{}', $2)
