-- Puts events into the outbox; they move nobody on any board. $1: the events as JSON.
INSERT INTO outbox (batch_no, user_nos, events, projected) VALUES (nextval('ledger_batch_seq'), '{}', $1, true)
